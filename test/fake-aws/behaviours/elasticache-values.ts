import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { numberAt, requiredText, scalarText } from './property-values.ts';

const VALUE = 'InvalidParameterValue';

// "Supported engines and versions", ElastiCache User Guide: what serverless caches have. Redis OSS after 7 isn't ElastiCache's.
const MAJORS: Readonly<Record<string, readonly string[]>> = {
  valkey: ['7', '8', '9'],
  redis: ['7'],
  memcached: ['1.6'],
};
// "DataStorage" and "ECPUPerSecond", Amazon ElastiCache API Reference, and the quotas of serverless caches.
const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  DataStorage: [1, 5000],
  ECPUPerSecond: [1000, 15_000_000],
};

// "Specifying permissions using an access string" on "Role-Based Access Control (RBAC)", ElastiCache User Guide, and what it refers to:
// "ACL", https://valkey.io/topics/acl/. Categories: ACL CAT there, with those of modules that ElastiCache has.
const CATEGORIES = new Set(
  (
    'all admin bitmap blocking bloom connection dangerous fast geo hash hyperloglog json keyspace list pubsub read scripting search set ' +
    'slow sortedset stream string transaction write'
  ).split(' '),
);
const WORDS = new Set([
  'alldbs',
  'resetdbs',
  'on',
  'off',
  'allkeys',
  'resetkeys',
  'allchannels',
  'resetchannels',
  'allcommands',
  'nocommands',
  'clearselectors',
]);
/** Patterns of keys, with or without a direction; of channels; databases; commands with or without a subcommand. */
const RULE =
  /^(?:(?:%(?:R|W|RW|WR))?~\S+|&\S+|db=\d+(?:,\d+)*|[+-][a-z][a-z0-9_.-]*(?:\|[a-z][a-z0-9-]*)?)$/iu;

/** Passwords and `reset` have no place in it: users' passwords are ElastiCache's. @throws Refusal */
export function checkAccess(properties: Properties): void {
  const access = textAt(properties, 'AccessString');
  if (access === undefined) return;
  // A selector's rules are in brackets, and are of the same form.
  const rules = access
    .replaceAll(/\(([^()]*)\)/gu, ' $1 ')
    .trim()
    .split(/\s+/u);
  const wrong = rules.find((rule) => !isRule(rule));
  if (wrong === undefined) return;
  throw new Refusal(VALUE, `Access string is invalid: syntax error at '${wrong}'`);
}

function isRule(rule: string): boolean {
  const [, category] = /^[+-]@(.*)$/u.exec(rule) ?? [];
  if (category !== undefined) return CATEGORIES.has(category.toLowerCase());
  return WORDS.has(rule.toLowerCase()) || RULE.test(rule);
}

/** @throws Refusal for a major version that the engine hasn't, or limits beyond those of the service */
export function checkSize(properties: Properties): void {
  const engine = requiredText(properties, 'Engine').toLowerCase();
  const version = scalarText(properties['MajorEngineVersion']);
  if (version !== '' && MAJORS[engine]?.includes(version) !== true) {
    throw new Refusal(VALUE, `Invalid major engine version: ${version} for engine ${engine}`);
  }
  for (const [limit, [least, most]] of Object.entries(LIMITS)) {
    const lower = numberAt(properties, `CacheUsageLimits.${limit}.Minimum`);
    const upper = numberAt(properties, `CacheUsageLimits.${limit}.Maximum`);
    const outside = [lower, upper].find((value) => value !== undefined && (value < least || value > most));
    if (outside !== undefined) {
      throw new Refusal(VALUE, `CacheUsageLimits.${limit}: ${outside} is not between ${least} and ${most}.`);
    }
    if (lower !== undefined && upper !== undefined && lower > upper)
      throw new Refusal(VALUE, `CacheUsageLimits.${limit}: the minimum is above the maximum.`);
  }
}
