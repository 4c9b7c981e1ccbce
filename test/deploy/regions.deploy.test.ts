import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import type { Topology, Zone } from '../../topology/types.ts';
import { Deployment, done, kill, refused } from './deployment.ts';
import { changed } from './topologies.ts';

/**
 * A zone of two regions gets a third and loses it again, with the real commands, and is interrupted on the way. In this order; each test
 * goes on where the one before it ended.
 */
const ACCOUNT = '222222222222';
const ZONE = { environment: 'production', name: 'eu' };
const [ORIGIN, REPLICA, COMING] = ['eu-central-1', 'eu-west-3', 'eu-north-1'] as const;
/** Slow enough for a command to be killed in the middle of a stack. */
const PACE_MS = 30;
const COMMON = ['--zone', 'eu', '--environment', 'production', '--yes'];

let deployment: Deployment;
/** What the accelerator's removal of a region hangs on, in the order in which the local AWS answered. */
let journal: string[] = [];
let two: Topology;
let three: Topology;
beforeAll(async () => {
  deployment = await Deployment.start({ watch });
  two = deployment.topology;
  three = changed(two, 'eu', (zone: Zone) => ({ ...zone, replicas: [REPLICA, COMING] }));
  deployment.seedRegion(ACCOUNT, COMING);
  await done(deployment.bootstrap(ACCOUNT, [ORIGIN, REPLICA, COMING]));
});
afterAll(async () => await deployment?.close());

const add = (...more: readonly string[]): ReturnType<Deployment['cdk']> =>
  deployment.keyhearth(ACCOUNT, 'region', 'add', COMING, ...COMMON, ...more);
const remove = (...more: readonly string[]): ReturnType<Deployment['cdk']> =>
  deployment.keyhearth(ACCOUNT, 'region', 'remove', COMING, ...COMMON, '--drain-seconds', '0', ...more);

/** Called when a call was answered: the world is still as that answer has it. */
function watch({ service, action }: { readonly service: string; readonly action: string }): void {
  const { world } = deployment.aws;
  if (service === 'globalaccelerator' && action === 'DescribeAccelerator') {
    const [accelerator] = world.all('AWS::GlobalAccelerator::Accelerator');
    const weights = world
      .all('AWS::GlobalAccelerator::EndpointGroup')
      .filter(({ properties }) => properties['EndpointGroupRegion'] === COMING)
      .map(({ properties }) => JSON.stringify(properties).match(/"Weight":"?(\d+)/)?.[1]);
    journal.push(
      `${JSON.stringify(accelerator?.state.get('status'))} weights ${[...new Set(weights)].join()}`,
    );
  }
  if (service === 'cloudformation' && /^(?:Update|Delete)Stack$/.test(action)) journal.push(action);
}

async function settled(): Promise<void> {
  await vi.waitFor(async () => expect((await statuses()).join()).not.toContain('IN_PROGRESS'), {
    timeout: 60_000,
    interval: 50,
  });
}

async function reached(status: string): Promise<void> {
  await vi.waitFor(async () => expect(await statuses()).toContain(status), {
    timeout: 120_000,
    interval: 20,
  });
}

/** AWS takes its time once a stack has come to a status: what comes before it needn't. */
async function slowAfter(status: string): Promise<void> {
  await reached(status);
  deployment.aws.world.paceMs = PACE_MS;
}

/** Kills a command, with all that it has started, as soon as a stack has come to a status; then waits until AWS has done what it was told. */
async function killAt(child: ChildProcess, status: string): Promise<void> {
  await reached(status);
  kill(child);
  deployment.aws.world.paceMs = 0;
  await settled();
}

/** Numbers of events of the zone's stacks in all three regions. */
async function events(): Promise<ReadonlyMap<string, number>> {
  const found = [];
  for (const region of [ORIGIN, REPLICA, COMING]) found.push(...(await deployment.events(ACCOUNT, region)));
  return new Map(found.filter(([name]) => name !== 'CDKToolkit'));
}

async function statuses(): Promise<readonly string[]> {
  const found = [];
  for (const region of [ORIGIN, REPLICA, COMING]) {
    for (const [name, { StackStatus }] of await deployment.stacks(ACCOUNT, region))
      if (name !== 'CDKToolkit') found.push(`${name} ${StackStatus}`);
  }
  return found;
}

const OWN = [
  stackNames.base(ZONE, COMING),
  stackNames.data(ZONE, COMING),
  stackNames.service(ZONE, COMING),
  ...[ORIGIN, REPLICA].flatMap((other) => [
    stackNames.link(ZONE, COMING, other),
    stackNames.link(ZONE, other, COMING),
  ]),
];
const SHARED = [stackNames.zone(ZONE), stackNames.edge(ZONE)];

test('a first deployment that is killed goes on where it stopped', async () => {
  const app = await deployment.synth('two');
  const args = ['deploy', '--app', app, '--require-approval', 'never', 'keyhearth-production-eu-*'];
  const child = deployment.startCdk(ACCOUNT, ...args, '--concurrency', '4');
  await slowAfter(`${stackNames.base(ZONE, ORIGIN)} CREATE_COMPLETE`);
  await killAt(child, `${stackNames.data(ZONE, ORIGIN)} CREATE_IN_PROGRESS`);
  await done(deployment.cdk(ACCOUNT, ...args, '--concurrency', '4'));
  const after = await statuses();
  expect(after).toHaveLength(10);
  expect(after.filter((one) => !one.endsWith(' CREATE_COMPLETE'))).toEqual([]);
});

test('a region that isn’t listed isn’t added, and one that is listed isn’t taken away', async () => {
  expect(await add()).toMatchObject({ code: 1, said: expect.stringContaining("doesn't list eu-north-1") });
  deployment.use(three);
  expect(await remove()).toMatchObject({ code: 1, said: expect.stringContaining('still lists eu-north-1') });
});

test('with an edit besides, the region isn’t added', async () => {
  deployment.use(changed(three, 'eu', (zone) => ({ ...zone, maxStalenessMs: 5000 })));
  const { code, said } = await add();
  expect(code).toBe(1);
  expect(said).toContain(
    `${stackNames.service(ZONE, ORIGIN)}, ${stackNames.service(ZONE, REPLICA)} would change`,
  );
  deployment.use(three);
});

test('adding a region leaves the others’ stacks untouched, and a run that is killed goes on', async () => {
  const before = await events();
  const said = await done(add('--dry-run'));
  for (const name of [...OWN, ...SHARED]) expect(said).toContain(name);
  expect(await events()).toEqual(before);

  const killed = deployment.startKeyhearth(ACCOUNT, 'region', 'add', COMING, ...COMMON);
  await slowAfter(`${stackNames.base(ZONE, COMING)} CREATE_COMPLETE`);
  await killAt(killed, `${stackNames.data(ZONE, COMING)} CREATE_IN_PROGRESS`);
  await done(add());
  const after = await events();
  expect((await statuses()).filter((one) => !/ (?:CREATE|UPDATE)_COMPLETE$/.test(one))).toEqual([]);
  const touched = [...after].filter(([name, count]) => before.get(name) !== count).map(([name]) => name);
  expect(touched.toSorted()).toEqual([...OWN, ...SHARED].toSorted());
});

test('it is taken away in the order that the accelerator needs, and a run that is killed goes on', async () => {
  deployment.use(two);
  const before = await events();
  expect(await done(remove('--dry-run'))).toMatch(/1\. drain .*WeightEuNorth1=0/);
  expect(await events()).toEqual(before);

  journal = [];
  deployment.aws.world.paceMs = PACE_MS;
  const args = ['region', 'remove', COMING, ...COMMON, '--drain-seconds', '0'];
  const killed = deployment.startKeyhearth(ACCOUNT, ...args);
  await killAt(killed, `${stackNames.service(ZONE, COMING)} DELETE_IN_PROGRESS`);
  // Weight 0 everywhere, then out of the accelerator, and all edge locations know it, before anything is deleted.
  const beforeDeletion = journal.slice(0, journal.indexOf('DeleteStack'));
  const answers = beforeDeletion.filter((one) => one !== 'UpdateStack');
  expect(journal).toContain('DeleteStack');
  expect(beforeDeletion[0]).toBe('UpdateStack');
  expect(answers).toContain('"DEPLOYED" weights 0');
  expect(answers.at(-1)).toBe('"DEPLOYED" weights ');

  const said = await done(remove());
  expect(said).not.toContain('drain');
  expect(await deployment.stacks(ACCOUNT, COMING)).toHaveProperty('size', 1);
  const after = await events();
  for (const name of OWN) expect(after.has(name)).toBe(false);
  const others = [...after].filter(([name]) => !SHARED.includes(name));
  for (const [name, count] of others) expect([name, count]).toEqual([name, before.get(name)]);
});

test('what stays of a region is what the command said: events, logs and keys', () => {
  const left = deployment.aws.world
    .everything()
    .filter(({ account, region, stack }) => account === ACCOUNT && region === COMING && stack === null)
    .map(({ type }) => type);
  expect([...new Set(left)].toSorted()).toEqual([
    'AWS::ECR::Repository',
    'AWS::KMS::Key',
    'AWS::Logs::LogGroup',
    'AWS::Logs::LogStream',
    'AWS::S3::Bucket',
    'KMS::KeyPendingDeletion',
  ]);
});

test('nothing is left to take away', async () => {
  expect(await done(remove())).toContain('Nothing of eu-north-1 is deployed');
});

test('a region comes back once its copy of the key is gone, and takes over the logs that it left', async () => {
  deployment.use(three);
  expect(await refused(add())).toMatch(/Key mrk-\w+ already exists in Region eu-north-1/);
  // KMS deletes it after the days that it waits.
  const { world } = deployment.aws;
  for (const key of world.all('KMS::KeyPendingDeletion', { account: ACCOUNT, region: COMING }))
    world.remove(key);
  await done(add());
  expect((await statuses()).filter((one) => !/ (CREATE|UPDATE|IMPORT)_COMPLETE$/.test(one))).toEqual([]);
});

test('the local AWS was asked for nothing that it doesn’t know', () => {
  expect(deployment.surprises).toEqual([]);
});
