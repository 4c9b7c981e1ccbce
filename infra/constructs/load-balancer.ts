import {
  type aws_certificatemanager as acm,
  type aws_ec2 as ec2,
  aws_elasticloadbalancingv2 as elbv2,
  Duration,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PORTS } from '../names.ts';
import { DRAIN_MS } from '../task-environment.ts';

/**
 * What the internet may call: everything else is answered by the load balancer itself. A list of what is private would not do: tasks
 * decode `%6d` before they look for a route and load balancers don't, so `/%6detrics` would pass such a list and arrive at `/metrics`.
 * A rule takes five patterns at most.
 */
export const PUBLIC_PATHS: readonly string[] = ['/v2/*', '/livez', '/readyz', '/openapi.json', '/docs*'];

/** The service's own answer to unknown routes; only the request's id can't be one of its own. */
export const ROUTE_NOT_FOUND = {
  meta: { requestId: 'req_loadbalancer' },
  error: {
    title: 'Not Found',
    detail: 'There is no such call. Check the path and the method.',
    status: 404,
    type: 'https://github.com/keyhearth/keyhearth/blob/main/docs/ERRORS.md#keyhearth/application/route_not_found',
  },
} as const;

/** Shorter than tasks keep an idle connection (75 s, service/app.ts): it must never be a task that closes one that is about to be used. */
const IDLE_TIMEOUT_S = 60;
/**
 * Connections of clients end after so long. A task can't end them, since `Connection: close` reaches only the load balancer; and those
 * that are open stay in a region which the accelerator sends nobody to any more.
 */
const CLIENT_KEEP_ALIVE_S = 300;

export interface LoadBalancerProps {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly certificate: acm.ICertificate;
  readonly deletionProtection: boolean;
}

/**
 * The one way into a region: for the accelerator (anycast and direct) and for the tasks of the other regions. It has a single target
 * group, since the accelerator takes the region for lost where any of several has nobody healthy in it.
 */
export class LoadBalancer extends Construct {
  readonly balancer: elbv2.ApplicationLoadBalancer;
  readonly targetGroup: elbv2.ApplicationTargetGroup;
  readonly #certificate: acm.ICertificate;

  constructor(scope: Construct, id: string, props: LoadBalancerProps) {
    super(scope, id);
    this.#certificate = props.certificate;
    this.balancer = new elbv2.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: props.vpc,
      vpcSubnets: props.subnets,
      securityGroup: props.securityGroup,
      internetFacing: false,
      ipAddressType: elbv2.IpAddressType.IPV4,
      deletionProtection: props.deletionProtection,
      dropInvalidHeaderFields: true,
      desyncMitigationMode: elbv2.DesyncMitigationMode.STRICTEST,
      // A task believes the last address only, which is the one that is appended here.
      xffHeaderProcessingMode: elbv2.XffHeaderProcessingMode.APPEND,
      http2Enabled: true,
      idleTimeout: Duration.seconds(IDLE_TIMEOUT_S),
      clientKeepAlive: Duration.seconds(CLIENT_KEEP_ALIVE_S),
    });
    Validations.of(this.balancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason:
        'Access logs would be a line for each verification, with the client’s address, in a bucket that can’t have the key of the region. Verifications are recorded as usage events, refusals of the firewall in its log, and connections in the flow logs of the network.',
    });
    this.targetGroup = new elbv2.ApplicationTargetGroup(this, 'Tasks', {
      vpc: props.vpc,
      targetType: elbv2.TargetType.IP,
      protocol: elbv2.ApplicationProtocol.HTTP,
      port: PORTS.service,
      // A task that is busy filling its memory or reading cold keys gets less, without being told from the others.
      loadBalancingAlgorithmType: elbv2.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.millis(DRAIN_MS),
      healthCheck: {
        path: '/readyz',
        healthyHttpCodes: '200',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 2,
      },
    });
    // Old clients and their proxies still speak 1.2; of it, only authenticated encryption with forward secrecy.
    this.#publicListener('Public', PORTS.public);
    this.#publicListener('Direct', PORTS.direct);
    // Both ends are tasks of this zone. Who may call is known by a signature; the security group lets in nobody else anyway.
    this.#listener('Peers', PORTS.peers, elbv2.SslPolicy.TLS13_13_PQ, [this.targetGroup]);
  }

  #publicListener(id: string, port: number): void {
    this.#listener(id, port, elbv2.SslPolicy.TLS13_12_RES_PQ, null).addAction('Api', {
      priority: 10,
      conditions: [elbv2.ListenerCondition.pathPatterns([...PUBLIC_PATHS])],
      action: elbv2.ListenerAction.forward([this.targetGroup]),
    });
  }

  /** Forwards to `targets` whatever no rule is for, or answers that there is no such call. */
  #listener(
    id: string,
    port: number,
    sslPolicy: elbv2.SslPolicy,
    targets: elbv2.IApplicationTargetGroup[] | null,
  ): elbv2.ApplicationListener {
    return this.balancer.addListener(id, {
      port,
      protocol: elbv2.ApplicationProtocol.HTTPS,
      certificates: [elbv2.ListenerCertificate.fromCertificateManager(this.#certificate)],
      sslPolicy,
      // Rules of security groups are made where both sides are known, and never for the whole world by default.
      open: false,
      defaultAction:
        targets === null
          ? elbv2.ListenerAction.fixedResponse(404, {
              contentType: 'application/json',
              messageBody: JSON.stringify(ROUTE_NOT_FOUND),
            })
          : elbv2.ListenerAction.forward(targets),
    });
  }
}
