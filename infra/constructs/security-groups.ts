import { aws_ec2 as ec2, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PORTS } from '../names.ts';

export interface RegionSecurityGroupsProps {
  readonly vpc: ec2.IVpc;
  /** What tasks reach outside the network; null: nothing. */
  readonly outside: { readonly ranges: readonly string[]; readonly port: number } | null;
}

/**
 * Who talks to whom inside a region. Each group allows only what is listed here, in both directions; what crosses to other regions is
 * in their link stacks. Names are resolved all the same: security groups don't apply to the network's own resolver.
 */
export class RegionSecurityGroups extends Construct {
  readonly loadBalancer: ec2.SecurityGroup;
  readonly tasks: ec2.SecurityGroup;
  readonly database: ec2.SecurityGroup;
  readonly cache: ec2.SecurityGroup;
  readonly endpoints: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { vpc, outside }: RegionSecurityGroupsProps) {
    super(scope, id);
    const group = (name: string, description: string): ec2.SecurityGroup =>
      new ec2.SecurityGroup(this, name, { vpc, description, allowAllOutbound: false });
    this.loadBalancer = group('LoadBalancer', 'Load balancer of the verify service');
    this.tasks = group('Tasks', 'Tasks of the verify service');
    this.database = group('Database', 'Database');
    this.cache = group('Cache', 'Valkey');
    this.endpoints = group('Endpoints', 'Endpoints of AWS services');
    keepClosed(this.loadBalancer);

    for (const port of [PORTS.public, PORTS.direct]) {
      this.loadBalancer.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(port), 'Clients');
    }
    Validations.of(this.loadBalancer).acknowledge({
      id: 'AwsSolutions-EC23',
      reason:
        'The accelerator keeps the addresses of clients, so they are what this group sees. No subnet has a route from the internet.',
    });
    allow(this.loadBalancer, this.tasks, ec2.Port.tcp(PORTS.service), 'Requests');
    // A task asks its own region by the name that other regions use, before it takes it for home (service/home/listening.ts).
    allow(this.tasks, this.loadBalancer, ec2.Port.tcp(PORTS.peers), 'The own region, as a peer');
    allow(this.tasks, this.database, ec2.Port.tcp(PORTS.postgres), 'Database');
    allow(this.tasks, this.cache, ec2.Port.tcpRange(PORTS.valkey, PORTS.valkeyReads), 'Valkey');
    allow(this.tasks, this.endpoints, ec2.Port.tcp(PORTS.https), 'AWS services');
    // S3 is reached at public addresses, through a gateway endpoint. A rule could name AWS's list of them, whose id differs by region
    // and is known to a look-up only; so it names every address. What it opens is bounded by the routes: HTTPS inside the zone's
    // networks, where only load balancers and endpoints answer, S3 within the endpoint's policy, and `outside` where there is one.
    this.tasks.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(PORTS.https), 'S3 through its endpoint');
    for (const range of outside?.ranges ?? []) {
      this.tasks.addEgressRule(ec2.Peer.ipv4(range), ec2.Port.tcp(outside?.port ?? 0), 'Events');
    }
  }
}

function allow(from: ec2.SecurityGroup, to: ec2.SecurityGroup, port: ec2.Port, description: string): void {
  from.addEgressRule(to, port, description);
  to.addIngressRule(from, port, description);
}

/**
 * EC2 gives a group that is made without a rule for what leaves it one that allows everything. The CDK puts a rule that allows nothing
 * in its place, but takes it away as soon as it makes a rule that is a resource of its own, as those between two groups are.
 */
function keepClosed(group: ec2.SecurityGroup): void {
  const resource = group.node.defaultChild;
  if (!(resource instanceof ec2.CfnSecurityGroup)) throw new Error(`no resource in ${group.node.path}`);
  resource.addPropertyOverride('SecurityGroupEgress', [
    { CidrIp: '255.255.255.255/32', IpProtocol: 'icmp', FromPort: 252, ToPort: 86, Description: 'Nothing' },
  ]);
}
