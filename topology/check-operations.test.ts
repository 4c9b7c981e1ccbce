import { expect, test } from 'vitest';

import { problemsWith } from './test-zones.ts';

test.each<[string, object]>([
  ['a day of staleness', { maxStalenessMs: 86_400_000 }],
  ['the largest budget', { budget: { usdPerMonth: 1_000_000_000 } }],
  ['an address with a plus', { alarms: { email: 'ops+keys@mail.example.com' } }],
  ['a retention with one field', { retention: { logDays: 3653 } }],
  ['alarms without a budget', { budget: undefined }],
])('%s is accepted', (_, change) => {
  expect(problemsWith(change)).toEqual([]);
});

test.each<[string, object, string, string]>([
  [
    'a firewall without a number',
    { firewall: {} },
    'firewall.requestsPer5Minutes',
    'is missing, it must be a whole number from 10 to 2000000000',
  ],
  [
    'a firewall that is on',
    { firewall: true },
    'firewall',
    'must be an object with requestsPer5Minutes, is true',
  ],
  [
    'too few requests',
    { firewall: { requestsPer5Minutes: 9 } },
    'firewall.requestsPer5Minutes',
    '9 must be a whole number from 10',
  ],
  [
    'too many requests',
    { firewall: { requestsPer5Minutes: 2_000_000_001 } },
    'firewall.requestsPer5Minutes',
    'to 2000000000',
  ],
  [
    'an address without @',
    { alarms: { email: 'ops.example.com' } },
    'alarms.email',
    'must be one e-mail address',
  ],
  [
    'two addresses',
    { alarms: { email: 'a@example.com, b@example.com' } },
    'alarms.email',
    'must be one e-mail address',
  ],
  ...['ops@exämple.com', '${Token[x]}@example.com', 'a{b}@example.com', 'ops\u0007@example.com'].map(
    (email): [string, object, string, string] => [
      `the address ${JSON.stringify(email)}`,
      { alarms: { email } },
      'alarms.email',
      'in ASCII, without $ { }',
    ],
  ),
  [
    'an address of 255 characters',
    { alarms: { email: `ops@${'mail.'.repeat(48)}example.com` } },
    'alarms.email',
    'at most 254',
  ],
  [
    'a budget of nothing',
    { budget: { usdPerMonth: 0 } },
    'budget.usdPerMonth',
    '0 must be a number from 1 to 1000000000',
  ],
  [
    'a budget above all',
    { budget: { usdPerMonth: 1_000_000_001 } },
    'budget.usdPerMonth',
    'from 1 to 1000000000',
  ],
  [
    'a budget without end',
    { budget: { usdPerMonth: Infinity } },
    'budget.usdPerMonth',
    'must be a number from 1',
  ],
  ['a budget that nobody is told of', { alarms: undefined }, 'budget', 'needs alarms: { email }'],
  [
    'log days that CloudWatch hasn’t got',
    { retention: { logDays: 31 } },
    'retention.logDays',
    '31 must be one of 1, 3, 5, 7',
  ],
  [
    'backups for longer than Aurora keeps them',
    { retention: { backupDays: 36 } },
    'retention.backupDays',
    '36 must be a whole number from 1 to 35',
  ],
  ['no backups', { retention: { backupDays: 0 } }, 'retention.backupDays', 'from 1 to 35'],
  ['events for no time', { retention: { eventDays: 0 } }, 'retention.eventDays', 'from 1 to 3650'],
  [
    'events for more than ten years',
    { retention: { eventDays: 3651 } },
    'retention.eventDays',
    'from 1 to 3650',
  ],
  ['an unknown retention', { retention: { days: 3 } }, 'retention.days', 'is unknown; allowed are logDays'],
  [
    'a guard that is a text',
    { deletionProtection: 'yes' },
    'deletionProtection',
    '"yes" must be true or false',
  ],
])('%s is refused with field and what is allowed', (_, change, field, message) => {
  const problems = problemsWith(change);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(new RegExp(`^${field.replaceAll(/[.[\]]/g, String.raw`\$&`)}: `));
  expect(problems[0]).toContain(message);
});
