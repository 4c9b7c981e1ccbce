import { PORTS } from '../names.ts';
import { type DeployedTemplate, type Found, NetworkModel, type Rule } from './network-model.ts';

/** What tasks need that no template says by itself. */
export interface Needs {
  /** Ends of the names of the AWS services that have an interface endpoint, e.g. `ecr.api`. */
  readonly services: readonly string[];
  /** Reached through NAT gateways. */
  readonly outside: { readonly ranges: readonly string[]; readonly port: number } | null;
}

interface Proof {
  /** Dependencies of tasks without a way to them: `<region>: <dependency>: <what is missing>`. */
  readonly lost: readonly string[];
  /** Rules and routes that no dependency needs. */
  readonly stray: readonly string[];
}

/** Something in the network: where it is and which groups it is in. */
interface Party {
  readonly region: string;
  readonly subnets: readonly string[];
  readonly groups: readonly string[];
}

const ANYWHERE = '0.0.0.0/0';
/** Ingress from nowhere, egress to nowhere: what stands in a group so that EC2 doesn't put "everything" there. */
const NOTHING = '255.255.255.255/32';

/**
 * Proves from the templates of a zone that every dependency of a task has a route, there and back, and a rule of its own on both
 * sides; and that there is no other rule or route. A rule counts only if it says exactly what is needed: one that allows more is a
 * stray one, and the dependency stays lost.
 */
export function prove(templates: readonly DeployedTemplate[], needs: Needs): Proof {
  return new Prover(new NetworkModel(templates), needs).prove();
}

class Prover {
  readonly #model: NetworkModel;
  readonly #needs: Needs;
  readonly #used = new Set<string>();
  readonly #lost: string[] = [];

  constructor(model: NetworkModel, needs: Needs) {
    this.#model = model;
    this.#needs = needs;
  }

  prove(): Proof {
    const regions = [...new Set(this.#model.of('AWS::EC2::VPC').map(({ region }) => region))];
    if (regions.length === 0) this.#lost.push('nothing to prove: no network in the templates');
    for (const region of regions) {
      this.#inside(region);
      for (const other of regions.filter((one) => one !== region)) {
        this.#across(region, this.#loadBalancer(other), `peers in ${other}`, PORTS.peers);
        this.#across(region, this.#database(other), `database in ${other}`, PORTS.postgres);
      }
    }
    return { lost: this.#lost, stray: this.#strays() };
  }

  #inside(region: string): void {
    const tasks = this.#tasks(region);
    const { service, postgres, valkey, valkeyReads, https } = PORTS;
    this.#clients(region);
    this.#near('load balancer to tasks', this.#loadBalancer(region), tasks, service, service);
    this.#near('own region, as a peer', tasks, this.#loadBalancer(region), PORTS.peers, PORTS.peers);
    this.#near('own database', tasks, this.#database(region), postgres, postgres);
    this.#near('own cache', tasks, this.#cache(region), valkey, valkeyReads);
    for (const name of this.#needs.services) {
      this.#near(`endpoint ${name}`, tasks, this.#endpoint(region, name), https, https);
    }
    this.#s3(tasks);
    for (const range of this.#needs.outside?.ranges ?? []) this.#outside(tasks, range);
  }

  /** Through the accelerator, which wants a gateway at the network. */
  #clients(region: string): void {
    const balancer = this.#loadBalancer(region);
    const gateway = this.#gateways(region).length > 0;
    this.#want(balancer, 'clients', 'no internet gateway at the network', gateway);
    for (const port of [PORTS.public, PORTS.direct]) {
      this.#want(
        balancer,
        'clients',
        `no rule at port ${port}`,
        this.#rule('in', balancer, [ANYWHERE], port, port),
      );
    }
  }

  /** Both in one network, where every route table leads everywhere. */
  #near(name: string, from: Party, to: Party, first: number, last: number): void {
    this.#present(from, to, name);
    this.#want(from, name, 'no rule at the sender', this.#rule('out', from, to.groups, first, last));
    this.#want(from, name, 'no rule at the receiver', this.#rule('in', to, from.groups, first, last));
  }

  #across(region: string, to: Party, name: string, port: number): void {
    const from = this.#tasks(region);
    this.#present(from, to, name);
    const [near, far] = [this.#range(region), this.#range(to.region)];
    this.#want(from, name, 'no rule at the sender', this.#rule('out', from, [far], port, port));
    this.#want(from, name, 'no rule at the receiver', this.#rule('in', to, [near], port, port));
    this.#want(
      from,
      name,
      'no route there',
      from.subnets.every((subnet) => this.#peeringRoute(subnet, to.region)),
    );
    this.#want(
      from,
      name,
      'no route back',
      to.subnets.every((subnet) => this.#peeringRoute(subnet, region)),
    );
  }

  #s3(tasks: Party): void {
    const endpoint = this.#model
      .of('AWS::EC2::VPCEndpoint', tasks.region)
      .find((one) => one.text('VpcEndpointType') === 'Gateway' && one.text('ServiceName').endsWith('.s3'));
    const tables = endpoint?.texts('RouteTableIds') ?? [];
    const routed = tasks.subnets.every((subnet) => tables.includes(this.#tableOf(subnet)));
    this.#want(tasks, 'S3', 'no route to its endpoint', routed);
    this.#want(tasks, 'S3', 'no rule', this.#rule('out', tasks, [ANYWHERE], PORTS.https, PORTS.https));
  }

  #outside(tasks: Party, range: string): void {
    const port = this.#needs.outside?.port ?? Number.NaN;
    this.#want(tasks, `outside ${range}`, 'no rule', this.#rule('out', tasks, [range], port, port));
    const routed = tasks.subnets.every((subnet) => this.#natRoute(subnet, range));
    this.#want(tasks, `outside ${range}`, 'no route through a NAT gateway', routed);
  }

  #rule(
    direction: Rule['direction'],
    at: Party,
    peers: readonly string[],
    from: number,
    to: number,
  ): boolean {
    const fitting = this.#model.rules.filter(
      (rule) =>
        rule.direction === direction &&
        rule.protocol === 'tcp' &&
        rule.from === from &&
        rule.to === to &&
        at.groups.includes(rule.group) &&
        peers.includes(rule.peer),
    );
    for (const { id } of fitting) this.#used.add(id);
    return fitting.length > 0;
  }

  #peeringRoute(subnet: string, region: string): boolean {
    const [here, there] = [this.#model.get(subnet)?.text('VpcId') ?? '', this.#vpc(region)?.id ?? ''];
    const joined = this.#model
      .of('AWS::EC2::VPCPeeringConnection')
      .filter((one) => {
        const ends = [one.text('VpcId'), one.text('PeerVpcId')];
        return ends.includes(here) && ends.includes(there);
      })
      .map(({ id }) => id);
    return this.#route(subnet, this.#range(region), 'peering', joined);
  }

  #natRoute(subnet: string, range: string): boolean {
    const region = this.#model.get(subnet)?.region ?? '';
    const working = this.#model
      .of('AWS::EC2::NatGateway', region)
      .filter((nat) => this.#route(nat.text('SubnetId'), ANYWHERE, 'gateway', this.#gateways(region)));
    const ids = working.map(({ id }) => id);
    return this.#route(subnet, range, 'nat', ids);
  }

  #route(subnet: string, destination: string, kind: string, targets: readonly string[]): boolean {
    const table = this.#tableOf(subnet);
    const route = this.#model.routes.find(
      (one) =>
        one.table === table &&
        one.destination === destination &&
        one.kind === kind &&
        targets.includes(one.target),
    );
    if (route !== undefined) this.#used.add(route.id);
    return route !== undefined;
  }

  #tableOf(subnet: string): string {
    const association = this.#model
      .of('AWS::EC2::SubnetRouteTableAssociation')
      .find((one) => one.text('SubnetId') === subnet);
    return association?.text('RouteTableId') ?? `main table of ${subnet}`;
  }

  /** Internet gateways that are attached to the region's network. */
  #gateways(region: string): readonly string[] {
    return this.#model
      .of('AWS::EC2::VPCGatewayAttachment', region)
      .map((one) => one.text('InternetGatewayId'));
  }

  #vpc(region: string): Found | undefined {
    return this.#model.of('AWS::EC2::VPC', region)[0];
  }

  #range(region: string): string {
    return this.#vpc(region)?.text('CidrBlock') ?? '';
  }

  #tasks(region: string): Party {
    const path = ['NetworkConfiguration', 'AwsvpcConfiguration'];
    const services = this.#model.of('AWS::ECS::Service', region);
    return party(region, services, [...path, 'Subnets'], [...path, 'SecurityGroups']);
  }

  #loadBalancer(region: string): Party {
    const found = this.#model.of('AWS::ElasticLoadBalancingV2::LoadBalancer', region);
    return party(region, found, ['Subnets'], ['SecurityGroups']);
  }

  #cache(region: string): Party {
    const found = this.#model.of('AWS::ElastiCache::ServerlessCache', region);
    return party(region, found, ['SubnetIds'], ['SecurityGroupIds']);
  }

  #database(region: string): Party {
    const { groups } = party(
      region,
      this.#model.of('AWS::RDS::DBCluster', region),
      [],
      ['VpcSecurityGroupIds'],
    );
    return { ...party(region, this.#model.of('AWS::RDS::DBSubnetGroup', region), ['SubnetIds'], []), groups };
  }

  #endpoint(region: string, name: string): Party {
    const found = this.#model
      .of('AWS::EC2::VPCEndpoint', region)
      .filter((one) => one.text('ServiceName') === `com.amazonaws.${region}.${name}`)
      .filter((one) => one.text('PrivateDnsEnabled') === 'true');
    return party(region, found, ['SubnetIds'], ['SecurityGroupIds']);
  }

  #present(from: Party, to: Party, name: string): void {
    for (const one of [from, to]) {
      this.#want(from, name, `nobody to reach or be reached in ${one.region}`, one.subnets.length > 0);
    }
  }

  #want({ region }: Party, name: string, missing: string, holds: boolean): void {
    if (!holds) this.#lost.push(`${region}: ${name}: ${missing}`);
  }

  #strays(): readonly string[] {
    const rules = this.#model.rules
      .filter(({ id, peer }) => !this.#used.has(id) && peer !== NOTHING)
      .map((rule) => `${rule.id}: ${rule.direction} ${rule.protocol} ${rule.from}-${rule.to} ${rule.peer}`);
    const routes = this.#model.routes
      .filter(({ id }) => !this.#used.has(id))
      .map((route) => `${route.id}: ${route.destination}`);
    const parties = this.#model.resources
      .filter((one) => groupsOf(one).some((id) => id.endsWith('.default')))
      .map(({ id }) => `${id}: in the network's default group`);
    return [...rules, ...routes, ...parties];
  }
}

/** Whatever names groups, of all kinds of resources that have a place in the network here. */
function groupsOf(one: Found): readonly string[] {
  return [
    ...one.texts('NetworkConfiguration', 'AwsvpcConfiguration', 'SecurityGroups'),
    ...['SecurityGroups', 'SecurityGroupIds', 'VpcSecurityGroupIds'].flatMap((key) => one.texts(key)),
  ];
}

function party(
  region: string,
  found: readonly Found[],
  subnets: readonly string[],
  groups: readonly string[],
): Party {
  const all = (path: readonly string[]): readonly string[] =>
    path.length === 0 ? [] : found.flatMap((one) => one.texts(...path));
  return { region, subnets: all(subnets), groups: all(groups) };
}
