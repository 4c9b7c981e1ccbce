import {
  checkObject,
  checkValue,
  oneOf,
  show,
  text,
  wholeNumber,
  type Fields,
  type Report,
  type Rule,
} from './check-rules.ts';

/** Three heartbeats of a second each: with less, one late heartbeat would count as staleness. */
const MIN_MAX_STALENESS_MS = 3000;
/** A day, the service's own bound. */
const MAX_MAX_STALENESS_MS = 86_400_000;
/** No budget needs more, and it stays a number that is written without an exponent. */
const MAX_USD_PER_MONTH = 1_000_000_000;

/** Fields of a zone with a rule of their own. */
const PLAIN_RULES: Readonly<Record<string, Rule>> = {
  maxStalenessMs: [
    wholeNumber(MIN_MAX_STALENESS_MS, MAX_MAX_STALENESS_MS)[0],
    `a whole number from ${MIN_MAX_STALENESS_MS} (3 heartbeats) to ${MAX_MAX_STALENESS_MS} (a day)`,
  ],
  stalenessMode: oneOf(['serve', 'confirm', 'refuse']),
  deletionProtection: [(value) => typeof value === 'boolean', 'true or false'],
};

/** Fields of a zone that are objects, and the rules of what is in them. */
const OBJECT_RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  // AWS WAF's own bounds of a rate-based rule.
  firewall: { requestsPer5Minutes: wholeNumber(10, 2_000_000_000) },
  alarms: {
    email: text(
      // Letters of ASCII alone, and no $ { }, with which CloudFormation and CDK mark what they fill in.
      /^(?=.{6,254}$)[A-Za-z0-9!#%&'*+/=?^_`|~.-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/,
      'one e-mail address such as ops@example.com, in ASCII, without $ { } and at most 254 characters long',
    ),
  },
  budget: {
    usdPerMonth: [
      (value) => typeof value === 'number' && value >= 1 && value <= MAX_USD_PER_MONTH,
      `a number from 1 to ${MAX_USD_PER_MONTH}`,
    ],
  },
};

/** All of them optional. */
const RETENTION_RULES: Readonly<Record<string, Rule>> = {
  // What CloudWatch Logs takes, up to 10 years.
  logDays: oneOf([
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ]),
  // Aurora's own bounds.
  backupDays: wholeNumber(1, 35),
  eventDays: wholeNumber(1, 3650),
};

/** Staleness, firewall, alarms, budget, retention, and whether deletion is guarded. */
export function checkOperations(zone: Fields, report: Report): void {
  for (const [field, rule] of Object.entries(PLAIN_RULES)) {
    if (zone[field] !== undefined) checkValue(zone[field], field, rule, report);
  }
  for (const [field, rules] of Object.entries(OBJECT_RULES)) {
    if (zone[field] !== undefined) checkObject(zone[field], field, rules, report);
  }
  if (zone['retention'] !== undefined)
    checkObject(zone['retention'], 'retention', RETENTION_RULES, report, { optional: true });
  if (zone['budget'] !== undefined && zone['alarms'] === undefined)
    report(
      'budget',
      `${show(zone['budget'])} needs alarms: { email }, the address that is told when it is exceeded`,
    );
}
