import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Json, Properties } from '../values.ts';
import { HERE, type Network, NetworkBench, first, refusalOf } from './network-bench.ts';

const GROUP = 'GlobalAccelerator::EndpointGroup';
const PACE_MS = 1000;

function withGroup({ paceMs = 0 } = {}) {
  const bench = new NetworkBench({ paceMs });
  const network = bench.network();
  const balancer = bench.balancer(network);
  const { accelerator, listener } = bench.accelerator();
  const group = (changes: Properties = {}) =>
    bench.make(GROUP, {
      ListenerArn: listener.id,
      EndpointGroupRegion: HERE.region,
      EndpointConfigurations: [{ EndpointId: balancer.id }],
      ...changes,
    });
  return { bench, network, balancer, accelerator, listener, group };
}

function tearDownNetwork(bench: NetworkBench, network: Network): void {
  for (const subnet of network.subnets) bench.remove(subnet);
}

describe('an accelerator', () => {
  it('has a name of at most 64 letters, digits, hyphens and underscores', () => {
    const bench = new NetworkBench();
    const make = (Name: string) => bench.make('GlobalAccelerator::Accelerator', { Name });
    expect(refusalOf(() => make('x'.repeat(65)))).toMatch(/^InvalidArgumentException/u);
    expect(refusalOf(() => make('a b'))).toMatch(/^InvalidArgumentException/u);
    expect(make('x'.repeat(64)).attributes['Ipv4Addresses']).toHaveLength(2);
  });

  it('is one of at most 20 in an account, whatever region asks', () => {
    const bench = new NetworkBench();
    for (let count = 0; count < 20; count += 1) bench.accelerator();
    expect(refusalOf(() => bench.accelerator())).toMatch(/^LimitExceededException/u);
  });

  it("isn't deleted before its listeners, nor a listener before its endpoint groups", () => {
    const { bench, accelerator, listener, group } = withGroup();
    const made = group();
    expect(refusalOf(() => bench.remove(accelerator))).toMatch(/^AssociatedListenerFoundException/u);
    expect(refusalOf(() => bench.remove(listener))).toMatch(/^AssociatedEndpointGroupFoundException/u);
    for (const one of [made, listener, accelerator]) bench.remove(one);
  });
});

describe("an accelerator's listener", () => {
  it('takes ports that no other one of its protocol takes', () => {
    const { bench, accelerator } = withGroup();
    const listen = (FromPort: number, ToPort: number, Protocol = 'TCP') =>
      bench.make('GlobalAccelerator::Listener', {
        AcceleratorArn: accelerator.id,
        Protocol,
        PortRanges: [{ FromPort, ToPort }],
      });
    expect(refusalOf(() => listen(400, 500))).toMatch(/^InvalidPortRangeException/u);
    expect(refusalOf(() => listen(500, 499))).toMatch(/^InvalidPortRangeException/u);
    listen(443, 443, 'UDP');
    listen(444, 500);
  });

  it('is one of at most ten', () => {
    const { bench, accelerator } = withGroup();
    const listen = (port: number) =>
      bench.make('GlobalAccelerator::Listener', {
        AcceleratorArn: accelerator.id,
        PortRanges: [{ FromPort: port, ToPort: port }],
      });
    for (let port = 1; port < 10; port += 1) listen(port);
    expect(refusalOf(() => listen(10))).toMatch(/^LimitExceededException/u);
  });
});

describe('an endpoint group', () => {
  it('is the only one of its region in a listener', () => {
    const { group } = withGroup();
    group();
    expect(refusalOf(() => group())).toMatch(/^EndpointGroupAlreadyExistsException/u);
  });

  it('has endpoints that exist in its region, in a VPC with an internet gateway', () => {
    const { bench, group, network, balancer } = withGroup();
    expect(refusalOf(() => group({ EndpointGroupRegion: 'us-east-1' }))).toMatch(
      /does not exist in us-east-1/u,
    );
    bench.remove(network.attachment);
    expect(refusalOf(() => group())).toBe(
      `InvalidArgumentException: The VPC ${network.vpc.id} of endpoint ${balancer.id} has no internet gateway attached`,
    );
  });

  it('has weights of 0 to 255 and a dial of 0 to 100, given as numbers or texts', () => {
    const { group, balancer } = withGroup();
    const weighted = (Weight: Json) => ({
      EndpointConfigurations: [{ EndpointId: balancer.id, Weight }],
    });
    expect(refusalOf(() => group(weighted(256)))).toMatch(/Weight must be between 0 and 255/u);
    expect(refusalOf(() => group(weighted('-1')))).toMatch(/Weight must be between 0 and 255/u);
    expect(refusalOf(() => group({ TrafficDialPercentage: 101 }))).toMatch(/between 0 and 100/u);
    group(weighted('0'));
  });

  it("overrides its listener's ports only, to ports that no listener of the accelerator takes", () => {
    const { group } = withGroup();
    const override = (ListenerPort: number, EndpointPort: number) => ({
      PortOverrides: [{ ListenerPort, EndpointPort }],
    });
    expect(refusalOf(() => group(override(80, 8443)))).toMatch(/not in the listener's port ranges/u);
    expect(refusalOf(() => group(override(443, 443)))).toMatch(/in a port range of one of/u);
    group(override(443, 8443));
  });

  it('takes dual-stack load balancers only where the accelerator is dual-stack', () => {
    const { bench, accelerator, group } = withGroup();
    bench.change(accelerator, { IpAddressType: 'DUAL_STACK' });
    expect(refusalOf(() => group())).toMatch(/dual-stack endpoints only/u);
  });
});

describe("an accelerator's interfaces", () => {
  it('are in every subnet of the load balancer, once for however many groups', () => {
    const { bench, accelerator, group, balancer, network } = withGroup();
    const before = bench.world.all('AWS::EC2::NetworkInterface').length;
    group();
    const second = bench.make('GlobalAccelerator::Listener', {
      AcceleratorArn: accelerator.id,
      PortRanges: [{ FromPort: 444, ToPort: 444 }],
    });
    group({ ListenerArn: second.id });
    expect(bench.world.all('AWS::EC2::NetworkInterface')).toHaveLength(before + 2);
    bench.remove(balancer);
    expect(refusalOf(() => bench.remove(first(network.subnets)))).toMatch(
      /^DependencyViolation: The subnet/u,
    );
    expect(refusalOf(() => bench.remove(network.attachment))).toMatch(/mapped public address/u);
  });

  it("leave a security group behind in the VPC, which can't be deleted with it", () => {
    const { bench, group, balancer, network } = withGroup();
    const made = group();
    bench.remove(made);
    bench.remove(balancer);
    tearDownNetwork(bench, network);
    bench.remove(network.attachment);
    bench.remove(network.group);
    expect(refusalOf(() => bench.remove(network.vpc))).toMatch(/^DependencyViolation: The vpc/u);
    const left = bench.world
      .all('AWS::EC2::SecurityGroup')
      .find(({ properties }) => properties['GroupName'] === 'GlobalAccelerator');
    expect(left).toBeDefined();
    if (left !== undefined) bench.remove(left);
    bench.remove(network.vpc);
  });
});

describe('at a pace', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('an accelerator is IN_PROGRESS until a step after its last change', () => {
    const { bench, accelerator, listener } = withGroup({ paceMs: PACE_MS });
    expect(bench.isStable(accelerator)).toBe(false);
    vi.advanceTimersByTime(PACE_MS / 2);
    bench.change(listener, { ClientAffinity: 'SOURCE_IP' });
    vi.advanceTimersByTime(PACE_MS / 2);
    expect(bench.isStable(listener)).toBe(false);
    vi.advanceTimersByTime(PACE_MS);
    expect(bench.isStable(listener)).toBe(true);
    expect(accelerator.state.get('status')).toBe('DEPLOYED');
  });

  it('its interfaces go a step after it is deployed without the endpoint', () => {
    const { bench, accelerator, group, balancer, network } = withGroup({ paceMs: PACE_MS });
    const made = group();
    vi.advanceTimersByTime(2 * PACE_MS);
    bench.change(made, { EndpointConfigurations: [] });
    bench.remove(balancer);
    const subnet = first(network.subnets);
    expect(refusalOf(() => bench.remove(subnet))).toMatch(/^DependencyViolation/u);
    vi.advanceTimersByTime(PACE_MS);
    expect(accelerator.state.get('status')).toBe('DEPLOYED');
    expect(refusalOf(() => bench.remove(subnet))).toMatch(/^DependencyViolation/u);
    vi.advanceTimersByTime(PACE_MS);
    bench.remove(subnet);
  });

  it('an endpoint that comes back in time keeps its interfaces', () => {
    const { bench, group, balancer, network } = withGroup({ paceMs: PACE_MS });
    const made = group();
    vi.advanceTimersByTime(2 * PACE_MS);
    bench.remove(made);
    vi.advanceTimersByTime(PACE_MS);
    group();
    vi.advanceTimersByTime(3 * PACE_MS);
    bench.remove(balancer);
    expect(refusalOf(() => bench.remove(first(network.subnets)))).toMatch(/^DependencyViolation/u);
  });
});
