import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAssembly } from '../../scripts/lib/assembly.ts';
import { stackNames } from '../../infra/names.ts';
import { Deployment } from './deployment.ts';
import { changed, unprotected, zonesOf } from './topologies.ts';
import { regionsOf } from '../../topology/read.ts';

/**
 * The whole of the fixture's zones through the real CDK command line: bootstrap, first deployment, nothing to do, one change, protection
 * off, destruction. In this order; each test goes on where the one before it ended.
 */
let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(async () => await deployment?.close());

/** `npx cdk deploy` of all stacks of a zone, from an assembly that is there already. */
async function deploy(app: string, account: string, pattern: string): Promise<string> {
  const args = ['deploy', '--app', app, '--require-approval', 'never', '--concurrency', '4', pattern];
  const { code, said } = await deployment.cdk(account, ...args);
  expect(code, said).toBe(0);
  return said;
}

const patternOf = (environment: string, name: string): string => `keyhearth-${environment}-${name}-*`;

/** Deploys every zone with the credentials of its account; returns what was said. */
async function deployAll(app: string): Promise<string> {
  let said = '';
  for (const { environment, zone } of zonesOf(deployment.topology)) {
    said += await deploy(app, zone.account, patternOf(environment, zone.name));
  }
  return said;
}

/** Numbers of events of every stack of every zone. */
async function allEvents(): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const { zone } of zonesOf(deployment.topology)) {
    for (const region of regionsOf(zone)) {
      for (const [name, count] of await deployment.events(zone.account, region)) {
        if (name !== 'CDKToolkit') found.set(name, count);
      }
    }
  }
  return found;
}

/** Throws where there is no such zone. */
function accountOf(name: string): string {
  const found = zonesOf(deployment.topology).find(({ zone }) => zone.name === name);
  if (found === undefined) throw new Error(`no zone ${name}`);
  return found.zone.account;
}

let app: string;
const [ENVIRONMENT, ZONE] = ['production', { environment: 'production', name: 'eu' }] as const;

test('an account that wasn’t bootstrapped is refused before anything is made', async () => {
  app = await deployment.synth('first');
  const { code, said } = await deployment.cdk(
    accountOf('trial'),
    ...['deploy', '--app', app, '--require-approval', 'never', 'keyhearth-trial-trial-base-eu-west-1'],
  );
  expect(code).not.toBe(0);
  expect(said).toContain('cdk bootstrap');
});

test('every account and region is bootstrapped by the CDK’s own template', async () => {
  for (const { zone } of zonesOf(deployment.topology)) {
    const places = regionsOf(zone).map((region) => `aws://${zone.account}/${region}`);
    const { code, said } = await deployment.cdk(zone.account, 'bootstrap', ...places);
    expect(code, said).toBe(0);
  }
});

test('every stack of every zone is deployed', async () => {
  await deployAll(app);
  const wanted = readAssembly(app);
  expect(wanted.length).toBeGreaterThan(30);
  for (const { account, region, name } of wanted) {
    const stack = (await deployment.stacks(account, region)).get(name);
    expect([name, stack?.StackStatus]).toEqual([name, 'CREATE_COMPLETE']);
  }
});

test('deployed again, nothing happens to any of them', async () => {
  const before = await allEvents();
  const said = await deployAll(app);
  expect(said.match(/no changes/g)).toHaveLength(readAssembly(app).length);
  expect(await allEvents()).toEqual(before);
});

test('a change of one setting updates the stacks that have it, and no other', async () => {
  const before = await allEvents();
  const edited = changed(deployment.topology, ZONE.name, (zone) => ({ ...zone, maxStalenessMs: 5000 }));
  deployment.use(edited);
  app = await deployment.synth('edited');
  await deployAll(app);
  const after = await allEvents();
  const touched = [...after].filter(([name, count]) => before.get(name) !== count).map(([name]) => name);
  expect(touched.toSorted()).toEqual([
    stackNames.service(ZONE, 'eu-central-1'),
    stackNames.service(ZONE, 'eu-west-3'),
  ]);
});

test('protected, nothing is destroyed', async () => {
  const { code, said } = await deployment.cdk(
    accountOf(ZONE.name),
    ...['destroy', '--app', app, '--force', patternOf(ENVIRONMENT, ZONE.name)],
  );
  expect(code).not.toBe(0);
  expect(said).toMatch(/TerminationProtection is enabled/);
});

test('unprotected, all of it is destroyed, each stack after those that need it', async () => {
  deployment.use(unprotected(deployment.topology));
  app = await deployment.synth('unprotected');
  await deployAll(app);
  for (const { environment, zone } of zonesOf(deployment.topology)) {
    const destroy = ['destroy', '--app', app, '--force'];
    const edge = stackNames.edge({ environment, name: zone.name });
    expect((await deployment.cdk(zone.account, ...destroy, '--exclusively', edge)).code).toBe(0);
    deployment.deleteAcceleratorGroups(zone.account);
    const { code, said } = await deployment.cdk(
      zone.account,
      ...[...destroy, patternOf(environment, zone.name)],
    );
    expect(code, said).toBe(0);
    for (const region of regionsOf(zone)) {
      expect([...(await deployment.stacks(zone.account, region)).keys()]).toEqual(['CDKToolkit']);
    }
  }
});

test('the local AWS was asked for nothing that it doesn’t know', () => {
  expect(deployment.aws.unknownCalls).toEqual([]);
});
