import { type Behaviour, type Made } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import type { Place, Properties } from '../values.ts';
import { type Resource, World, globalPlace } from '../world.ts';
import { EDGE } from './edge.ts';
import { NETWORK } from './network.ts';

const BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map(
  [...NETWORK, ...EDGE].map((behaviour) => [behaviour.type, behaviour]),
);

export const HERE: Place = { account: '111111111111', region: 'eu-west-1' };
export const THERE: Place = { account: '111111111111', region: 'us-east-1' };

/** For tests of behaviours: makes, changes and deletes resources as the engine does, in a world of its own, without a stack. */
export class NetworkBench {
  readonly world: World;

  constructor({ paceMs = 0 }: { readonly paceMs?: number } = {}) {
    this.world = new World({ paceMs });
  }

  /** `type` without its `AWS::`. */
  make(type: string, properties: Properties, place: Place = HERE): Resource {
    const behaviour = behaviourOf(type);
    const where = behaviour.scope === 'global' ? globalPlace(place) : place;
    const context = { world: this.world, place: where, stack: null, logicalId: 'Test' };
    const made: Made = behaviour.create(context, properties);
    return this.world.add({
      ...where,
      type: behaviour.type,
      id: made.id,
      properties,
      attributes: made.attributes ?? {},
      stack: null,
      ...(made.state && { state: made.state }),
    });
  }

  change(resource: Resource, changes: Properties): void {
    const properties = { ...resource.properties, ...changes };
    const changed = behaviourOf(resource.type).update?.(this.#contextOf(resource), resource, properties);
    resource.properties = properties;
    resource.attributes = { ...resource.attributes, ...changed };
  }

  remove(resource: Resource): void {
    behaviourOf(resource.type).remove?.(this.#contextOf(resource), resource);
    this.world.remove(resource);
  }

  isStable(resource: Resource): boolean {
    return behaviourOf(resource.type).stable?.(this.#contextOf(resource), resource) ?? true;
  }

  /** A VPC with an internet gateway and a subnet in each of its region's first two zones. */
  network(cidr = '10.0', place: Place = HERE): Network {
    const vpc = this.make('EC2::VPC', { CidrBlock: `${cidr}.0.0/16` }, place);
    const gateway = this.make('EC2::InternetGateway', {}, place);
    const attachment = this.make(
      'EC2::VPCGatewayAttachment',
      { VpcId: vpc.id, InternetGatewayId: gateway.id },
      place,
    );
    const subnets = ['a', 'b'].map((letter, index) =>
      this.make(
        'EC2::Subnet',
        {
          VpcId: vpc.id,
          CidrBlock: `${cidr}.${index}.0/24`,
          AvailabilityZone: `${place.region}${letter}`,
        },
        place,
      ),
    );
    const group = this.make('EC2::SecurityGroup', { VpcId: vpc.id, GroupDescription: 'For tests' }, place);
    return { vpc, gateway, attachment, subnets, group };
  }

  /** An internal load balancer in all subnets of a network. */
  balancer({ subnets, group }: Network, place: Place = HERE): Resource {
    return this.make(
      'ElasticLoadBalancingV2::LoadBalancer',
      { Scheme: 'internal', Subnets: subnets.map(({ id }) => id), SecurityGroups: [group.id] },
      place,
    );
  }

  /** An accelerator whose listener takes port 443. */
  accelerator(): { readonly accelerator: Resource; readonly listener: Resource } {
    const accelerator = this.make('GlobalAccelerator::Accelerator', { Name: 'entry' });
    const listener = this.make('GlobalAccelerator::Listener', {
      AcceleratorArn: accelerator.id,
      Protocol: 'TCP',
      PortRanges: [{ FromPort: 443, ToPort: 443 }],
    });
    return { accelerator, listener };
  }

  /** A zone as people make it by hand, and an issued certificate of a name in it. */
  certificate(place: Place = HERE): Resource {
    const zone = this.make('Route53::HostedZone', { Name: 'example.com' });
    return this.make(
      'CertificateManager::Certificate',
      {
        DomainName: 'keys.example.com',
        ValidationMethod: 'DNS',
        DomainValidationOptions: [{ DomainName: 'keys.example.com', HostedZoneId: zone.id }],
      },
      place,
    );
  }

  #contextOf(resource: Resource) {
    const { account, region } = resource;
    return { world: this.world, place: { account, region }, stack: null, logicalId: 'Test' };
  }
}

export interface Network {
  readonly vpc: Resource;
  readonly gateway: Resource;
  readonly attachment: Resource;
  readonly subnets: readonly Resource[];
  readonly group: Resource;
}

/** The refusal that work ends with, as `code: sentence`. Throws where it ends without one. */
export function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The first of a list, which a test knows to be there. */
export function first<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error('an empty list');
  return one;
}

function behaviourOf(type: string): Behaviour {
  const name = type.startsWith('AWS::') ? type : `AWS::${type}`;
  const found = BEHAVIOURS.get(name);
  if (found === undefined) throw new Error(`no behaviour of ${name}`);
  return found;
}
