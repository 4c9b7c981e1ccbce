import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAssembly } from '../../scripts/lib/assembly.ts';
import { stackNames } from '../../infra/names.ts';
import type { Zone } from '../../topology/types.ts';
import { Deployment, done, refused } from './deployment.ts';
import { changed, unprotected, zonesOf } from './topologies.ts';
import { regionsOf } from '../../topology/read.ts';

/**
 * The whole of the fixture's zones through the real CDK command line: bootstrap, first deployment, nothing to do, one change, protection
 * off, destruction. In this order; each test goes on where the one before it ended. Zones have accounts of their own, so that what is
 * done to each is done to all at the same time.
 */
let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(async () => await deployment?.close());

interface Placed {
  readonly environment: string;
  readonly zone: Zone;
}

/** Does it for every zone at once; returns what was said. */
async function forEachZone(work: (placed: Placed) => Promise<string>): Promise<string> {
  return (await Promise.all(zonesOf(deployment.topology).map(work))).join('\n');
}

const patternOf = ({ environment, zone }: Placed): string => `keyhearth-${environment}-${zone.name}-*`;

/** `npx cdk deploy` of all stacks of every zone with the credentials of its account, from an assembly that is there already. */
async function deployAll(app: string): Promise<string> {
  const args = ['deploy', '--app', app, '--require-approval', 'never', '--concurrency', '4'];
  return await forEachZone((placed) => done(deployment.cdk(placed.zone.account, ...args, patternOf(placed))));
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
function placedZone(name: string): Placed {
  const found = zonesOf(deployment.topology).find(({ zone }) => zone.name === name);
  if (found === undefined) throw new Error(`no zone ${name}`);
  return found;
}

let app: string;
const EU = { environment: 'production', name: 'eu' };

test('an account that wasn’t bootstrapped is refused before anything is made', async () => {
  app = await deployment.synth('first');
  const { account } = placedZone('trial').zone;
  const stack = 'keyhearth-trial-trial-base-eu-west-1';
  const args = ['deploy', '--app', app, '--require-approval', 'never', stack];
  expect(await refused(deployment.cdk(account, ...args))).toContain('cdk bootstrap');
  expect(await deployment.stacks(account, 'eu-west-1')).toHaveProperty('size', 0);
});

test('every account and region is bootstrapped by the CDK’s own template', async () => {
  await forEachZone(async ({ zone }) => {
    const said = await done(deployment.bootstrap(zone.account, regionsOf(zone)));
    for (const region of regionsOf(zone)) {
      expect([...(await deployment.stacks(zone.account, region)).keys()]).toEqual(['CDKToolkit']);
    }
    return said;
  });
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
  const edited = changed(deployment.topology, EU.name, (zone) => ({ ...zone, maxStalenessMs: 5000 }));
  deployment.use(edited);
  app = await deployment.synth('edited');
  await deployAll(app);
  const after = await allEvents();
  const touched = [...after].filter(([name, count]) => before.get(name) !== count).map(([name]) => name);
  expect(touched.toSorted()).toEqual([
    stackNames.service(EU, 'eu-central-1'),
    stackNames.service(EU, 'eu-west-3'),
  ]);
});

test('protected, nothing is destroyed', async () => {
  const eu = placedZone(EU.name);
  const before = await allEvents();
  const args = ['destroy', '--app', app, '--force', patternOf(eu)];
  expect(await refused(deployment.cdk(eu.zone.account, ...args))).toMatch(/TerminationProtection is enabled/);
  expect(await allEvents()).toEqual(before);
});

test('unprotected, all of it is destroyed as docs/DEPLOYING.md has it, each stack after those that need it', async () => {
  deployment.use(unprotected(deployment.topology));
  app = await deployment.synth('unprotected');
  await deployAll(app);
  const wanted = readAssembly(app);
  const ids = new Map<string, string>();
  for (const { account, region, name } of wanted) {
    ids.set(name, (await deployment.stacks(account, region)).get(name)?.StackId ?? '');
  }

  await forEachZone(async (one) => {
    const { account, name } = one.zone;
    const destroy = ['destroy', '--app', app, '--force'];
    const edge = stackNames.edge({ environment: one.environment, name });
    await done(deployment.cdk(account, ...destroy, '--exclusively', edge));
    const regions = regionsOf(one.zone);
    expect(await deployment.deleteAcceleratorGroups(account, regions)).toBe(regions.length);
    const said = await done(deployment.cdk(account, ...destroy, patternOf(one)));
    for (const region of regions) {
      expect([...(await deployment.stacks(account, region)).keys()]).toEqual(['CDKToolkit']);
    }
    return said;
  });

  const deletions = new Map<string, { from: number; to: number }>();
  for (const { account, region, name } of wanted) {
    const history = await deployment.history(account, region, ids.get(name) ?? '');
    const at = (status: string): number =>
      history.find((event) => event.status === status)?.at.getTime() ?? Number.NaN;
    deletions.set(name, { from: at('DELETE_IN_PROGRESS'), to: at('DELETE_COMPLETE') });
  }
  let compared = 0;
  for (const { name, dependencies } of wanted) {
    for (const needed of dependencies) {
      const [gone, begun] = [deletions.get(name)?.to, deletions.get(needed)?.from];
      expect([name, needed, (gone ?? Number.NaN) <= (begun ?? Number.NaN)]).toEqual([name, needed, true]);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(wanted.length);
});

test('the local AWS was asked for nothing that it doesn’t know', () => {
  expect(deployment.surprises).toEqual([]);
});
