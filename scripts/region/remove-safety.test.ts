import { RDSClient } from '@aws-sdk/client-rds';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import { SmallZone } from '../../test/deploy/small-zone.ts';
import { AwsClients } from '../lib/aws-clients.ts';
import { readDeployedStack } from '../lib/deployed-stack.ts';
import { isProtected, withoutProtection } from './protection.ts';
import { Removal } from './removal-work.ts';
import type { RemovalStep } from './removal.ts';
import { stepsOf } from './remove.ts';
import { updateStack } from './stack-calls.ts';

/** Against a local AWS, in this process: a region is taken away while its database isn't, or is no longer, a mere copy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let small: SmallZone;
let clients: AwsClients;
let work: Removal;
let onCall: (action: string, region: string) => void;

beforeEach(async () => {
  onCall = () => {};
  small = await SmallZone.start((action, region) => onCall(action, region));
  for (const [name, value] of Object.entries(small.aws.environment(small.zone.account)))
    vi.stubEnv(name, value);
  clients = new AwsClients();
  work = new Removal({
    clients,
    zone: small.zone,
    region: small.region,
    drainSeconds: 0,
    deploy: async (stack) => await small.deployWithoutRegion(stack),
    lookMs: 10,
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  const { unknownCalls, faults } = small.aws;
  await small.aws.close();
  if (unknownCalls.length + faults.length > 0) throw new Error(`${unknownCalls.join()} ${faults.join()}`);
});

const steps = async (): Promise<readonly RemovalStep[]> => await stepsOf(clients, small.zone, small.region);

const isData = ({ kind, stack }: RemovalStep): boolean =>
  kind === 'delete' && stack === stackNames.data(small.zone, small.region);

async function apply(some: readonly RemovalStep[]): Promise<void> {
  for (const step of some) await work.apply(step, () => {});
}

/** All up to the step that deletes the data stack, which is returned. */
async function upToData(): Promise<RemovalStep> {
  const all = await steps();
  const data = all.find(isData);
  if (data === undefined) throw new Error('the data stack isn’t to be deleted');
  await apply(all.slice(0, all.indexOf(data)));
  return data;
}

async function isDataProtected(): Promise<boolean> {
  const stack = await readDeployedStack(
    clients.cloudFormation(small.region),
    stackNames.data(small.zone, small.region),
  );
  if (stack === undefined) throw new Error('no data stack');
  return isProtected(stack.template) && small.cluster(small.region).properties['DeletionProtection'] === true;
}

test('a copy goes, and nothing of the region is left', async () => {
  await work.check();
  await apply(await steps());
  expect(await steps()).toEqual([]);
  expect((await small.stacks()).toSorted()).toEqual(
    [
      stackNames.data(small.zone, small.zone.origin),
      stackNames.edge(small.zone),
      stackNames.zone(small.zone),
    ].toSorted(),
  );
  expect(() => small.cluster(small.region)).toThrow('no database');
  expect(small.writer).toBe(small.arn(small.zone.origin));
});

test.each([
  ['is detached', (): void => small.detach(), /was taken out, and has its own data/],
  ['has no writer beside it', (): void => small.loseHome(), /has no writer/],
  ['is the home', (): void => small.switchOver(), /is the home of zone eu/],
  [
    'has a writer whose cluster is gone',
    (): void => small.aws.world.remove(small.cluster(small.zone.origin)),
    /is missing/,
  ],
  ['has no global database', (): void => small.aws.world.remove(small.global), /no global database/],
])('one that %s isn’t touched, from the first step on and at each one', async (_, happen, sentence) => {
  happen();
  await expect(work.check()).rejects.toThrow(sentence);
  const all = await steps();
  const before = await small.stacks();
  const deletions = all.filter(({ kind }) => kind === 'delete');
  for (const step of deletions) await expect(work.apply(step, () => {})).rejects.toThrow(sentence);
  expect(await small.stacks()).toEqual(before);
  expect(await isDataProtected()).toBe(true);
});

test('home that moves here while clients are drained stops it before the service goes', async () => {
  const [drain, ...rest] = await steps();
  if (drain === undefined) throw new Error('nothing to do');
  await apply([drain]);
  small.switchOver();
  await expect(apply(rest)).rejects.toThrow('is the home of zone eu');
  expect(await small.stacks()).toContain(stackNames.service(small.zone, small.region));
});

test('home that moves here while protection is taken off stops it, and protection is on again', async () => {
  const data = await upToData();
  onCall = (action, region) => {
    if (action === 'UpdateStack' && region === small.region && small.writer !== small.arn(region))
      small.switchOver();
  };
  await expect(work.apply(data, () => {})).rejects.toThrow(/is the home.*had been taken off; it is on again/);
  expect(await isDataProtected()).toBe(true);
  expect(small.aws.calls.some(({ action }) => action === 'DeleteDBCluster')).toBe(false);
});

test('a run that was killed with protection off is followed by one that puts it on again', async () => {
  await upToData();
  const client = clients.cloudFormation(small.region);
  const stack = await readDeployedStack(client, stackNames.data(small.zone, small.region));
  if (stack === undefined) throw new Error('no data stack');
  await updateStack(client, { stack, template: withoutProtection(stack.template), lookMs: 10 });
  expect(await isDataProtected()).toBe(false);
  small.detach();
  await expect(work.check()).rejects.toThrow(/was taken out.*had been taken off; it is on again/);
  expect(await isDataProtected()).toBe(true);
});

test('wherever it is killed, the next run ends it', async () => {
  for (let kills = 0; ; kills += 1) {
    const [step] = await steps();
    if (step === undefined) break;
    expect(kills).toBeLessThan(20);
    if (step.kind === 'drain') await apply((await steps()).slice(0, 3));
    else if (step.kind === 'wait') await apply((await steps()).slice(0, 2));
    else await apply([step]);
    await work.check();
  }
  expect(await small.stacks()).toHaveLength(3);
});

test('the service waits for the accelerator, also in a run that finds the edge deployed', async () => {
  await apply((await steps()).slice(0, 2));
  small.isAcceleratorDeployed = false;
  let looks = 0;
  onCall = (action) => {
    if (action !== 'DescribeAccelerator') return;
    looks += 1;
    if (looks === 3) small.isAcceleratorDeployed = true;
    expect(small.aws.calls.some((one) => one.action === 'DeleteStack')).toBe(false);
  };
  const [wait, remove] = await steps();
  expect([wait?.kind, remove?.kind, remove?.stack]).toEqual([
    'wait',
    'delete',
    stackNames.service(small.zone, small.region),
  ]);
  await apply([wait, remove].filter((one) => one !== undefined));
  expect(looks).toBeGreaterThan(3);
});

test('a stack that only a change set was made for is deleted as well', async () => {
  await apply(await steps());
  const name = stackNames.service(small.zone, small.region);
  await small.review(name);
  const left = await steps();
  expect(left.map(({ kind, stack }) => `${kind} ${stack}`)).toContain(`delete ${name}`);
  await apply(left);
  expect(await small.stacks()).not.toContain(name);
});

test('what RDS doesn’t say is no “there is none”', async () => {
  vi.spyOn(clients, 'rds').mockImplementation((region) => {
    const client = new RDSClient({ region });
    client.middlewareStack.add(() => () => {
      throw new Error('not authorized to perform: rds:DescribeDBClusters.');
    });
    return client;
  });
  await expect(work.check()).rejects.toThrow(/not authorized.*Without knowing, no database is deleted/);
  await expect(upToData()).rejects.toThrow('Without knowing, no database is deleted');
  expect(await small.stacks()).toContain(stackNames.service(small.zone, small.region));
});
