import { createHash } from 'node:crypto';
import {
  type aws_elasticloadbalancingv2 as elbv2,
  aws_globalaccelerator as globalaccelerator,
  aws_globalaccelerator_endpoints as endpoints,
  CfnParameter,
  type CfnResource,
  RemovalPolicy,
  Stack,
  Token,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { directPort, PORTS, weightParameter } from '../names.ts';

export interface RegionEndpoint {
  readonly region: AwsRegion;
  readonly loadBalancer: elbv2.ApplicationLoadBalancer;
}

export interface AcceleratorProps {
  /** At most 64 letters, digits, `.` and `-`. */
  readonly name: string;
  /** One for each region of the zone. */
  readonly regions: readonly RegionEndpoint[];
  /** Whether it stays when its stack is deleted: its addresses would be lost with it. */
  readonly retained: boolean;
}

/** Weight of a region that isn't drained. All regions have the same, for it only counts among the endpoints of one group. */
const DEFAULT_WEIGHT = 128;

/**
 * One Global Accelerator for a zone. Its anycast listener leads each client to the nearest healthy region; besides, each region has a
 * listener of its own, for canaries and measurements. Listeners of one region go to a load balancer's port of their own, since the
 * same client address and port could otherwise arrive twice at the same port through two listeners.
 *
 * A region's weight is a parameter of the stack: what drains a region sets it, and a later deployment keeps what was set. Health is
 * that of the load balancer's targets; what the accelerator itself would check has no effect for load balancers.
 */
export class Accelerator extends Construct {
  readonly accelerator: globalaccelerator.Accelerator;

  constructor(scope: Construct, id: string, props: AcceleratorProps) {
    super(scope, id);
    const { name: acceleratorName, regions, retained } = props;
    this.accelerator = new globalaccelerator.Accelerator(this, 'Accelerator', {
      acceleratorName,
      ipAddressType: globalaccelerator.IpAddressType.IPV4,
    });
    this.accelerator.applyRemovalPolicy(
      retained ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    );
    const anycast = this.#listener('Anycast', PORTS.public);
    for (const { region, loadBalancer } of regions) {
      const weight = this.#weightOf(region);
      const group = (name: string, listener: globalaccelerator.Listener, port: number): void => {
        const made = new globalaccelerator.EndpointGroup(this, name, {
          listener,
          region,
          endpoints: [
            new endpoints.ApplicationLoadBalancerEndpoint(loadBalancer, { weight, preserveClientIp: true }),
          ],
          ...(port === PORTS.public
            ? {}
            : { portOverrides: [{ listenerPort: port, endpointPort: PORTS.direct }] }),
        });
        noteTarget(made, loadBalancer);
      };
      group(`Anycast-${region}`, anycast, PORTS.public);
      const port = directPort(region);
      group(`Direct-${region}`, this.#listener(`Direct-${region}-Listener`, port), port);
    }
  }

  #listener(id: string, port: number): globalaccelerator.Listener {
    return new globalaccelerator.Listener(this, id, {
      accelerator: this.accelerator,
      protocol: globalaccelerator.ConnectionProtocol.TCP,
      clientAffinity: globalaccelerator.ClientAffinity.NONE,
      portRanges: [{ fromPort: port, toPort: port }],
    });
  }

  #weightOf(region: AwsRegion): number {
    const parameter = new CfnParameter(Stack.of(this), weightParameter(region), {
      type: 'Number',
      default: DEFAULT_WEIGHT,
      minValue: 0,
      maxValue: 255,
      description: `Weight of ${region} at the accelerator: ${DEFAULT_WEIGHT} normally, 0 while it is drained`,
    });
    return Token.asNumber(parameter.value);
  }
}

/**
 * The ARN of a load balancer in another stack is read when this one is deployed, and only if its template has changed. So what the
 * load balancer is made of stands here as well: were it replaced, this template changes with it, and the accelerator learns its ARN.
 */
function noteTarget(
  group: globalaccelerator.EndpointGroup,
  loadBalancer: elbv2.ApplicationLoadBalancer,
): void {
  // The only child of these constructs that is a CloudFormation resource of the same name.
  const [target, resource] = [loadBalancer.node.defaultChild as CfnResource, groupResource(group)];
  const stack = Stack.of(loadBalancer);
  // oxlint-disable-next-line no-underscore-dangle -- the CDK's own name for what a resource looks like in a template
  const rendered = JSON.stringify(stack.resolve(target._toCloudFormation()));
  resource.addMetadata('LoadBalancer', createHash('sha256').update(rendered).digest('hex').slice(0, 16));
}

function groupResource(group: globalaccelerator.EndpointGroup): CfnResource {
  const found = group.node.children.find((child) => child.node.id === 'Resource');
  if (found === undefined) throw new Error('an endpoint group without its resource');
  // The CDK's own resource below its construct.
  return found as CfnResource;
}
