import {
  AcceleratorNotDisabledException,
  DescribeAcceleratorCommand,
  DescribeEndpointGroupCommand,
  DeleteAcceleratorCommand,
  GlobalAcceleratorClient,
  ListListenersCommand,
  UpdateEndpointGroupCommand,
} from '@aws-sdk/client-global-accelerator';
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  LoadBalancerNotFoundException,
  ModifyLoadBalancerAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setTargets } from '../behaviours/elbv2-lookups.ts';
import { HERE, NetworkBench, refusalOf } from '../behaviours/network-bench.ts';
import { accountKeys } from '../account.ts';
import { type FakeAws, startFakeAws } from '../server.ts';
import { ELBV2_SERVICE } from './elbv2.ts';
import { GLOBAL_ACCELERATOR_SERVICE } from './globalaccelerator.ts';

const bench = new NetworkBench();
const network = bench.network();
const balancer = bench.balancer(network);
const { accelerator, listener } = bench.accelerator();
const tasks = bench.make('ElasticLoadBalancingV2::TargetGroup', {
  VpcId: network.vpc.id,
  Protocol: 'HTTP',
  Port: 8080,
  TargetType: 'ip',
});
bench.make('ElasticLoadBalancingV2::Listener', {
  LoadBalancerArn: balancer.id,
  Port: 443,
  Protocol: 'HTTPS',
  Certificates: [{ CertificateArn: bench.certificate().id }],
  DefaultActions: [{ Type: 'forward', TargetGroupArn: tasks.id }],
});
const group = bench.make('GlobalAccelerator::EndpointGroup', {
  ListenerArn: listener.id,
  EndpointGroupRegion: HERE.region,
  EndpointConfigurations: [{ EndpointId: balancer.id, Weight: '100' }],
});

let fake: FakeAws;
let accelerators: GlobalAcceleratorClient;
let balancers: ElasticLoadBalancingV2Client;

beforeAll(async () => {
  const services = [ELBV2_SERVICE, GLOBAL_ACCELERATOR_SERVICE];
  fake = await startFakeAws({ world: bench.world, services });
  const common = { endpoint: fake.endpoint, credentials: accountKeys(HERE.account), maxAttempts: 1 };
  accelerators = new GlobalAcceleratorClient({ ...common, region: 'us-west-2' });
  balancers = new ElasticLoadBalancingV2Client({ ...common, region: HERE.region });
});
afterAll(async () => {
  accelerators.destroy();
  balancers.destroy();
  await fake.close();
});

it('the SDK reads an accelerator, its listeners and its endpoints', async () => {
  const { Accelerator } = await accelerators.send(
    new DescribeAcceleratorCommand({ AcceleratorArn: accelerator.id }),
  );
  expect(Accelerator).toMatchObject({ Name: 'entry', Status: 'DEPLOYED', Enabled: true });
  expect(Accelerator?.CreatedTime).toBeInstanceOf(Date);
  const { Listeners } = await accelerators.send(new ListListenersCommand({ AcceleratorArn: accelerator.id }));
  expect(Listeners).toMatchObject([{ PortRanges: [{ FromPort: 443, ToPort: 443 }], Protocol: 'TCP' }]);
});

it("an endpoint's health is that of the load balancer's targets", async () => {
  const health = async () => {
    const { EndpointGroup } = await accelerators.send(
      new DescribeEndpointGroupCommand({ EndpointGroupArn: group.id }),
    );
    return EndpointGroup?.EndpointDescriptions?.[0]?.HealthState;
  };
  expect(await health()).toBe('UNHEALTHY');
  setTargets(tasks, [{ id: '10.0.0.9', port: 8080, zone: 'eu-west-1a', health: 'healthy' }]);
  expect(await health()).toBe('HEALTHY');
  const { TargetHealthDescriptions } = await balancers.send(
    new DescribeTargetHealthCommand({ TargetGroupArn: tasks.id }),
  );
  expect(TargetHealthDescriptions).toMatchObject([
    { Target: { Id: '10.0.0.9', Port: 8080 }, TargetHealth: { State: 'healthy' } },
  ]);
});

it('the SDK sets a weight, which stays within its bounds', async () => {
  const weigh = (Weight: number) =>
    accelerators.send(
      new UpdateEndpointGroupCommand({
        EndpointGroupArn: group.id,
        EndpointConfigurations: [{ EndpointId: balancer.id, Weight }],
      }),
    );
  const { EndpointGroup } = await weigh(0);
  expect(EndpointGroup?.EndpointDescriptions).toMatchObject([{ Weight: 0 }]);
  await expect(weigh(256)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
});

it('an accelerator that is enabled is not deleted', async () => {
  await expect(
    accelerators.send(new DeleteAcceleratorCommand({ AcceleratorArn: accelerator.id })),
  ).rejects.toBeInstanceOf(AcceleratorNotDisabledException);
});

it('the SDK reads load balancers and listeners, by name and all', async () => {
  const { LoadBalancers } = await balancers.send(new DescribeLoadBalancersCommand({}));
  expect(LoadBalancers).toMatchObject([
    { LoadBalancerArn: balancer.id, Scheme: 'internal', State: { Code: 'active' } },
  ]);
  expect(LoadBalancers?.[0]?.AvailabilityZones).toHaveLength(2);
  await expect(balancers.send(new DescribeLoadBalancersCommand({ Names: ['none'] }))).rejects.toBeInstanceOf(
    LoadBalancerNotFoundException,
  );
  const { Listeners } = await balancers.send(new DescribeListenersCommand({ LoadBalancerArn: balancer.id }));
  expect(Listeners).toMatchObject([{ Port: 443, DefaultActions: [{ TargetGroupArn: tasks.id }] }]);
});

it('deletion protection that a call sets stands in the way of a stack', async () => {
  const protect = (Value: string) =>
    balancers.send(
      new ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: balancer.id,
        Attributes: [{ Key: 'deletion_protection.enabled', Value }],
      }),
    );
  await expect(protect('perhaps')).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringContaining("'perhaps' is not valid"),
  });
  await protect('true');
  expect(refusalOf(() => bench.remove(balancer))).toMatch(/^OperationNotPermitted/u);
  await protect('false');
  bench.remove(balancer);
});
