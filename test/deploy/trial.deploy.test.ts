import { afterAll, beforeAll, expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import type { Topology, Zone } from '../../topology/types.ts';
import fixture from '../topology-fixture.ts';
import { Deployment, done, refused } from './deployment.ts';
import { imageFor, pushImage } from './seed.ts';
import { changed, REPOSITORY } from './topologies.ts';

/**
 * The zone `trial` through the real commands: what AWS refuses half-way, and what `keyhearth plan` says of what is deployed. In this
 * order; each test goes on where the one before it ended.
 */
const ZONE = { environment: 'trial', name: 'trial' };
const { account: ACCOUNT, origin: REGION } = fixture.environments.trial.zones[0];
const SERVICE = stackNames.service(ZONE, REGION);
const PLACE = { account: ACCOUNT, region: REGION };

let deployment: Deployment;
let trial: Topology;
let app: string;
beforeAll(async () => {
  deployment = await Deployment.start();
  trial = { environments: { trial: deployment.topology.environments['trial'] ?? { zones: [] } } };
  deployment.use(trial);
  await done(deployment.bootstrap(ACCOUNT, [REGION]));
  app = await deployment.synth('first');
});
afterAll(async () => await deployment?.close());

const edited = (change: (zone: Zone) => Zone): Topology => changed(trial, ZONE.name, change);
const deploy = (folder: string): ReturnType<Deployment['cdk']> =>
  deployment.cdk(
    ACCOUNT,
    'deploy',
    '--app',
    folder,
    '--require-approval',
    'never',
    '--concurrency',
    '4',
    '--all',
  );
const plan = (...more: readonly string[]): ReturnType<Deployment['cdk']> =>
  deployment.keyhearth(ACCOUNT, 'plan', '--environment', ZONE.environment, ...more);
const statuses = async (): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    [...(await deployment.stacks(ACCOUNT, REGION))].map(([name, { StackStatus }]) => [name, StackStatus]),
  );

test('with an image that nobody pushed the service’s stack fails and is taken back; after the push the same command succeeds', async () => {
  const { world } = deployment.aws;
  world.images.forget(PLACE, REPOSITORY);
  const said = await refused(deploy(app));
  expect(said).toContain('CannotPullContainerError');
  expect(said).toContain(imageFor('arm64').digest);
  expect(await statuses()).toMatchObject({
    [stackNames.data(ZONE, REGION)]: 'CREATE_COMPLETE',
    [SERVICE]: 'ROLLBACK_COMPLETE',
  });
  expect(await statuses()).not.toHaveProperty(stackNames.edge(ZONE));

  const data = await deployment.history(ACCOUNT, REGION, stackNames.data(ZONE, REGION));
  pushImage(world, PLACE, imageFor('arm64'));
  await done(deploy(app));
  expect([...new Set(Object.values(await statuses()))]).toEqual(['CREATE_COMPLETE']);
  expect(await deployment.history(ACCOUNT, REGION, stackNames.data(ZONE, REGION))).toEqual(data);
});

test('an image for another processor is refused, and what ran before runs on', async () => {
  pushImage(deployment.aws.world, PLACE, imageFor('amd64'));
  const { digest } = imageFor('amd64');
  deployment.use(edited((zone) => ({ ...zone, image: { repository: REPOSITORY, digest } })));
  const said = await refused(deploy(await deployment.synth('amd64')));
  expect(said).toMatch(/does not contain descriptor matching platform 'linux\/arm64'/);
  expect(await statuses()).toMatchObject({ [SERVICE]: 'UPDATE_ROLLBACK_COMPLETE' });
  deployment.use(trial);
  await done(deploy(app));
});

/** Of `keyhearth plan --json`, what is looked at here. */
interface PlanJson {
  readonly refused: boolean;
  readonly zones: readonly { readonly stacks: readonly { readonly name: string; readonly kind: string }[] }[];
}

/** Names of the stacks that a plan has anything to do for. */
function touched(said: string): readonly string[] {
  const { zones } = JSON.parse(said) as PlanJson;
  const stacks = zones.flatMap((zone) => zone.stacks);
  expect(stacks).toHaveLength(5);
  return stacks.filter(({ kind }) => kind !== 'unchanged').map(({ name }) => name);
}

test('planned against what is deployed, nothing would change', async () => {
  expect(touched(await done(plan('--json')))).toEqual([]);
});

test('planned after an edit, the stacks that would change are named', async () => {
  deployment.use(edited((zone) => ({ ...zone, maxStalenessMs: 5000 })));
  expect(touched(await done(plan('--json')))).toEqual([SERVICE]);
});

test('a plan that would take the events’ bucket out of its stack is refused, unless that is wanted', async () => {
  const events = {
    kind: 'clickhouse',
    secretName: 'events',
    addressRanges: ['10.9.0.0/24'],
    port: 8443,
  } as const;
  deployment.use(edited((zone) => ({ ...zone, events })));
  const { code, said } = await plan();
  expect(code).toBe(3);
  expect(said).toMatch(/In the way.*AWS::S3::Bucket/s);
  expect(await done(plan('--allow-replacement'))).toContain('AWS::S3::Bucket');
});

test('an address range that isn’t what it was is refused', async () => {
  deployment.use(edited((zone) => ({ ...zone, addressRanges: { [REGION]: '10.99.0.0/16' } })));
  const { code, said } = await plan();
  expect(code).toBe(3);
  expect(said).toContain(`In the way, ${stackNames.base(ZONE, REGION)}`);
});

test('the local AWS was asked for nothing that it doesn’t know', () => {
  expect(deployment.surprises).toEqual([]);
});
