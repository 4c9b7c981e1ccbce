import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isAwsRegion } from '../../../topology/aws-regions.ts';
import { UserError } from '../../lib/user-error.ts';
import { isPriceName, PRICE_UNITS, type PriceName } from './price-names.ts';
import { priceOf, readPrices } from './price-table.ts';
import { sourcesFile } from './price-files.ts';

const FOLDER = join(import.meta.dirname, 'aws');

function fileWith(content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyhearth-prices-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'own.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function problemOf(content: unknown): string {
  const path = fileWith(content);
  try {
    readPrices(path);
    return 'none';
  } catch (error) {
    if (error instanceof UserError) return error.message.replace(`${path}: `, '').replace(path, 'the file');
    throw error;
  }
}

test('the repository has every price of us-east-1 and of what is the same everywhere', () => {
  const table = readPrices();
  // Object.keys forgets what the keys of an object literal are.
  const names = Object.keys(PRICE_UNITS) as PriceName[];
  expect(names.filter((name) => priceOf(table, 'us-east-1', name) === undefined)).toEqual([]);
});

test('each file of prices is a region’s, each price one of a plan, each source an address with a date, and used', () => {
  const table = readPrices();
  const regions = readdirSync(FOLDER)
    .filter((name) => name !== 'sources.json' && name !== 'everywhere.json')
    .map((name) => name.replace(/\.json$/, ''));
  expect(regions.filter((region) => !isAwsRegion(region))).toEqual([]);
  const prices = [table.everywhere, ...table.regions.values()].flatMap((some) => [...some]);
  expect(prices.filter(([name]) => !isPriceName(name))).toEqual([]);
  expect(
    prices.filter(([, { bands }]) => bands.at(-1)?.upTo !== null || bands.some(({ usd }) => usd <= 0)),
  ).toEqual([]);
  const { sources } = sourcesFile(JSON.parse(readFileSync(join(FOLDER, 'sources.json'), 'utf8')));
  const used = new Set(prices.map(([, { url, note }]) => `${url} ${note}`));
  expect(Object.entries(sources).filter(([, { url, note }]) => !used.has(`${url} ${note}`))).toEqual([]);
  expect(Object.values(sources).filter(({ lookedUp }) => lookedUp > table.date)).toEqual([]);
});

test('a price that a region lacks is estimated where its file says from what, and marked', () => {
  const table = readPrices();
  const [here, basis] = (['eu-west-3', 'us-east-1'] as const).map((region) =>
    priceOf(table, region, 'cacheGbHour'),
  );
  expect(basis?.status).toBe('quoted');
  expect(here).toMatchObject({ status: 'estimate', note: 'estimated: us-east-1 × 1.176' });
  expect(here?.bands[0]?.usd).toBeCloseTo((basis?.bands[0]?.usd ?? 0) * 1.176, 8);
});

test('each tier says how far it can be trusted, and the price by the one that can be least', () => {
  const price = priceOf(readPrices(), 'eu-west-3', 'httpApiMillion');
  expect(price?.bands.map(({ status }) => status)).toEqual(['quoted', 'unchecked']);
  expect(price?.status).toBe('unchecked');
  expect(priceOf(readPrices(), 'ap-southeast-1', 'internetGb')?.status).toBe('quoted');
});

test('a price whose source tells of the first tier only is quoted for no further one', () => {
  const tiered = ['internetGb', 'httpApiMillion', 'restApiMillion', 'lambdaGbSecond'];
  const firstOnly = (note: string): readonly string[] => {
    if (/the first tier only/.test(note)) return tiered;
    const some = /only the first tier of (.*)$/.exec(note)?.[1] ?? '';
    return [
      ...(some.includes('data transfer out') ? ['internetGb'] : []),
      ...(some.includes('HTTP APIs') ? ['httpApiMillion'] : []),
    ];
  };
  const found = [...readPrices().regions].flatMap(([region, prices]) =>
    [...prices.values()]
      .filter(({ name, note }) => firstOnly(note).includes(name))
      .map(({ name, bands }) => ({ region, name, further: bands.slice(1).map(({ status }) => status) })),
  );
  expect(found.length).toBeGreaterThan(8);
  expect(found.filter(({ further }) => further.some((status) => status !== 'unchecked'))).toEqual([]);
});

test('a region that no file is of has no price but what is the same everywhere', () => {
  const table = readPrices();
  expect(priceOf(table, 'eu-north-1', 'fargateVcpuHour')).toBeUndefined();
  expect(priceOf(table, 'eu-north-1', 'kmsKeyMonth')?.bands).toMatchObject([{ upTo: null, usd: 1 }]);
});

test('prices of one’s own win, also in a region that the repository has no prices of; the others stay', () => {
  const path = fileWith({
    date: '2027-01-01',
    regions: {
      'eu-west-1': { fargateVcpuHour: 0.02, internetGb: { tiers: [{ upTo: 10, usd: 0.5 }, { usd: 0.1 }] } },
      'eu-north-1': { fargateVcpuHour: { usd: 0.03, source: 'our contract' } },
    },
    everywhere: { kmsKeyMonth: 0.5, loadBalancerHour: 0.02 },
    assumptions: { databaseGb: 100 },
  });
  const table = readPrices(path);
  expect(table).toMatchObject({ file: path, assumptions: { databaseGb: 100, responseBytes: 600 } });
  expect(priceOf(table, 'eu-west-1', 'fargateVcpuHour')).toMatchObject({
    bands: [{ upTo: null, usd: 0.02 }],
    status: 'own',
    lookedUp: '2027-01-01',
    url: path,
  });
  expect(priceOf(table, 'eu-west-1', 'internetGb')?.bands).toEqual([
    { upTo: 10, usd: 0.5, status: 'own' },
    { upTo: null, usd: 0.1, status: 'own' },
  ]);
  expect(priceOf(table, 'eu-north-1', 'fargateVcpuHour')).toMatchObject({
    status: 'own',
    url: 'our contract',
  });
  expect(priceOf(table, 'us-east-1', 'kmsKeyMonth')?.bands[0]?.usd).toBe(0.5);
  // Said of all regions, it holds where the repository has a price of a single one too.
  expect(priceOf(table, 'eu-west-1', 'loadBalancerHour')?.bands[0]?.usd).toBe(0.02);
  expect(priceOf(table, 'eu-west-1', 'natHour')?.status).toBe('quoted');
});

test('what is said of a region wins over what is said of all', () => {
  const path = fileWith({ everywhere: { natHour: 1 }, regions: { 'eu-west-1': { natHour: 2 } } });
  expect(priceOf(readPrices(path), 'eu-west-1', 'natHour')?.bands[0]?.usd).toBe(2);
  expect(priceOf(readPrices(path), 'us-east-1', 'natHour')?.bands[0]?.usd).toBe(1);
});

test.each([
  [
    { regions: { 'eu-west-1': { natHuor: 1 } } },
    /^regions\.eu-west-1\.natHuor is no price of a plan; known are /,
  ],
  [{ regions: { 'eu-west-9': { natHour: 1 } } }, /^regions\.eu-west-9 is no region of AWS/],
  [{ regions: { 'eu-west-1': { natHour: '1' } } }, /^regions\.eu-west-1\.natHour must /],
  [{ everywhere: { natHour: -1 } }, /^everywhere\.natHour must /],
  [{ everywhere: { natHour: {} } }, /^everywhere\.natHour must have either usd or tiers/],
  [
    { everywhere: { natHour: { usd: 1, tiers: [{ usd: 1 }] } } },
    /^everywhere\.natHour must have either usd or tiers/,
  ],
  [
    { everywhere: { natHour: { tiers: [{ upTo: 5, usd: 1 }] } } },
    /^everywhere\.natHour must have tiers in ascending order/,
  ],
  [
    { everywhere: { natHour: { tiers: [{ usd: 1 }, { usd: 2 }] } } },
    /^everywhere\.natHour must have tiers in ascending order/,
  ],
  [
    { everywhere: { natHour: { tiers: [{ upTo: 9, usd: 1 }, { upTo: 5, usd: 1 }, { usd: 2 }] } } },
    /ascending order/,
  ],
  [{ assumptions: { databaseGb: -1 } }, /^assumptions\.databaseGb must /],
  [{ assumptions: { databaseTb: 1 } }, /^assumptions\.databaseTb is no field of it/],
  [{ prices: {} }, /^prices is no field of it/],
  [{ date: 'today' }, /^date must match/],
  [[], /^the file must be object/],
  ['{', /^the file can't be read as JSON: /],
])('a file of one’s own that is wrong is refused, and the field named: %j', (content, message) => {
  expect(problemOf(content)).toMatch(message);
});

test('a file that is not there is said to be so', () => {
  expect(() => readPrices('/nowhere/prices.json')).toThrow(
    /^\/nowhere\/prices\.json can't be read as JSON: ENOENT/,
  );
});
