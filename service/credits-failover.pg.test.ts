import assert from 'node:assert/strict';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { follow, promote, waitForCatchUp } from '../scripts/local/postgres/replication.ts';
import type { PostgresNode } from '../scripts/local/postgres/node.ts';
import { type CuttableLink, startCuttableLink } from '../test/cuttable-link.ts';
import { createKey, startTestZone, type TestRegion, type TestZone } from '../test/zone.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

/**
 * One story, told in order: the home is cut off, by the network and from its standbys, and goes on handing out credits; another region
 * takes over without the last commits, and hands out the same ones again; the old home comes back.
 */
const GRANTED = 20_000;
const REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-1'] as const;
const OLD_HOME = 'us-east-1';
/** A link for each direction between two regions, and of these the ones that lead to the old home and from it. */
const links: CuttableLink[] = [];
const linksOfOldHome: CuttableLink[] = [];

let zone: TestZone;
let key: string;
let accountId: string;
let valid = 0;
/** What the new home had of the account when it took over, and what the old one has at that moment. */
let kept: Account;

interface Account {
  readonly free: number;
  readonly leased: number;
  readonly spent: number;
}

beforeAll(async () => {
  zone = await startTestZone({}, ['us-east-1']);
  await zone.task('us-east-1').stop();
  const urls = new Map<TestRegion, string>();
  const linkBetween = async (region: TestRegion, other: TestRegion): Promise<string> => {
    const link = await startCuttableLink(() => urls.get(other) ?? 'http://127.0.0.1:1');
    links.push(link);
    if (region === OLD_HOME || other === OLD_HOME) linksOfOldHome.push(link);
    return `${other}=${link.url}`;
  };
  for (const region of REGIONS) {
    const peers = [];
    for (const other of REGIONS.filter((one) => one !== region)) peers.push(await linkBetween(region, other));
    const task = await zone.startTask(region, { KEYHEARTH_PEERS: peers.join(',') });
    urls.set(region, task.url);
  }
  const made = await createKey(zone, 'us-east-1', { credits: { remaining: GRANTED } });
  key = made.key;
  const [row] = await queryAt<{ id: string }>(
    'us-east-1',
    `select credit_account_id as id from keys where id = '${made.keyId}'`,
  );
  accountId = row?.id ?? '';
  for (const region of REGIONS) {
    await vi.waitFor(async () => assert.equal(await spendOne(region), 'VALID'), { timeout: 15_000 });
  }
});

afterAll(async () => {
  await zone.stop();
  await Promise.all(links.map(async (link) => await link.stop()));
});

async function spendOne(region: TestRegion): Promise<string> {
  const { status, body } = await zone.task(region).verify(key);
  if (body.data?.['code'] === 'VALID') valid += 1;
  return status === 200 ? String(body.data?.['code']) : String(status);
}

/** Verifies `count` times in each of the regions, eight at a time; returns how often each code came. */
async function spend(regions: readonly TestRegion[], count: number): Promise<Map<string, number>> {
  const codes = new Map<string, number>();
  await Promise.all(
    regions.flatMap((region) =>
      Array.from({ length: 8 }, async () => {
        for (let done = 0; done < count / 8; done += 1) {
          const code = await spendOne(region);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
      }),
    ),
  );
  return codes;
}

/** Nothing is left for this region, however often it is asked. */
async function isUsedUp(region: TestRegion): Promise<boolean> {
  return (await spend([region], 800)).get('USAGE_EXCEEDED') === 800;
}

async function queryAt<Row extends object>(region: TestRegion, sql: string): Promise<Row[]> {
  const database = new URL(zone.urlOf(region)).pathname.slice(1);
  return await zone.nodes[region].asAdmin(async (client) => (await client.query<Row>(sql)).rows, database);
}

async function accountAt(region: TestRegion): Promise<Account> {
  const [row] = await queryAt<{ free: string; leased: string; spent: string }>(
    region,
    `select free, leased, spent from credit_accounts where id = '${accountId}'`,
  );
  return { free: Number(row?.free), leased: Number(row?.leased), spent: Number(row?.spent) };
}

/** The standby receives nothing more, while its primary lives. */
function cutOffFromPrimary(standby: PostgresNode): void {
  standby.configureReplication({
    source: { port: 1, password: standby.passwords.replication, name: standby.name },
    applyDelayMs: 0,
  });
  standby.reload();
}

async function metric(region: TestRegion, name: string): Promise<number> {
  const text = await (await zone.task(region).get('/metrics')).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

test('home goes on while its standbys receive nothing: what it hands out now would be lost with it', async () => {
  const [us, eu, ap] = [zone.nodes['us-east-1'], zone.nodes['eu-west-1'], zone.nodes['ap-southeast-1']];
  await waitForCatchUp(eu, us, 5000);
  // Of the two, the one that takes over must not be behind the other.
  cutOffFromPrimary(ap);
  cutOffFromPrimary(eu);
  await expect
    .poll(async () => await queryAt('eu-west-1', 'select 1 from pg_stat_wal_receiver'), { timeout: 5000 })
    .toEqual([]);
  kept = await accountAt('eu-west-1');
  const codes = await spend(REGIONS, 2400);
  expect([...codes.keys()]).toEqual(['VALID']);
  expect((await accountAt('us-east-1')).free).toBeLessThan(kept.free);
});

test('another region takes over without those commits, and hands out the same credits again', async () => {
  for (const link of linksOfOldHome) link.cut();
  await promote(zone.nodes['eu-west-1']);
  follow(zone.nodes['ap-southeast-1'], zone.nodes['eu-west-1']);
  const create = async () =>
    (await zone.task('eu-west-1').call('keys.createKey', { apiId: zone.apiId })).status;
  await expect.poll(create, { timeout: 20_000 }).toBe(200);
  for (const region of REGIONS.slice(1)) {
    await expect.poll(async () => await isUsedUp(region), { timeout: 30_000 }).toBe(true);
  }
  // The old home is alive and cut off: it doesn't know, and goes on.
  expect((await spend([OLD_HOME], 800)).get('VALID')).toBe(800);
});

test('once it hears of the later epoch, the old home hands out nothing: all is spent of one account again', async () => {
  for (const link of linksOfOldHome) link.mend();
  await expect.poll(async () => await metric('us-east-1', 'keyhearth_home'), { timeout: 20_000 }).toBe(0);
  const atOldHome = await accountAt('us-east-1');
  for (const region of REGIONS) {
    await expect.poll(async () => await isUsedUp(region), { timeout: 30_000 }).toBe(true);
  }
  expect(await accountAt('us-east-1')).toEqual(atOldHome);
  const lostWindow = kept.free - atOldHome.free;
  expect(valid).toBeLessThanOrEqual(GRANTED + lostWindow);
  // Otherwise nothing was spent twice, and this test would show nothing.
  expect(valid).toBeGreaterThan(GRANTED);
  // What was spent of grants that the new home never heard of has been told to it: of the account, or as spent twice.
  const overspent = async (): Promise<number> => {
    const reported = await Promise.all(
      REGIONS.map(async (region) => await metric(region, 'keyhearth_credits_overspent_total')),
    );
    return reported.reduce((sum, one) => sum + one, 0);
  };
  const toldInAll = async () => (await accountAt('eu-west-1')).spent + (await overspent());
  await expect.poll(toldInAll, { timeout: 20_000 }).toBe(valid);
  const { free, leased, spent } = await accountAt('eu-west-1');
  expect(free + leased + spent).toBe(GRANTED);
});
