import { arn, FRANKFURT, PARIS, role, rule, VIRGINIA, type Row } from './call.ts';

/** What the service control policy says, and the permission boundary says otherwise: there these services aren't allowed, or not so. */
export const SCP_ONLY: readonly Row[] = [
  [
    'denied',
    FRANKFURT,
    'events for Virginia',
    'events:PutTargets',
    rule,
    { 'events:TargetArn': [arn('events', VIRGINIA, 'event-bus/default')] },
  ],
  [
    'denied',
    FRANKFURT,
    'events for another account',
    'events:PutTargets',
    rule,
    { 'events:TargetArn': ['arn:aws:events:eu-central-1:999999999999:event-bus/default'] },
  ],
  [
    'allowed',
    FRANKFURT,
    'events for Paris',
    'events:PutTargets',
    rule,
    { 'events:TargetArn': [arn('events', PARIS, 'event-bus/default')] },
  ],
  [
    'allowed',
    FRANKFURT,
    'a login to the database',
    'rds-db:connect',
    arn('rds-db', FRANKFURT, 'dbuser:cluster-1/app'),
  ],
  [
    'allowed',
    null,
    'a login whose request says no region',
    'rds-db:connect',
    arn('rds-db', FRANKFURT, 'dbuser:cluster-1/app'),
  ],
  [
    'denied',
    VIRGINIA,
    'a login elsewhere',
    'rds-db:connect',
    arn('rds-db', VIRGINIA, 'dbuser:cluster-1/app'),
  ],
  [
    'denied',
    FRANKFURT,
    'events to a web address',
    'events:CreateApiDestination',
    arn('events', FRANKFURT, 'api-destination/x'),
  ],
  [
    'denied',
    FRANKFURT,
    'events in two regions',
    'events:CreateEndpoint',
    arn('events', FRANKFURT, 'endpoint/x'),
  ],
  [
    'allowed',
    FRANKFURT,
    'a function, whatever it does',
    'lambda:CreateFunction',
    arn('lambda', FRANKFURT, 'function:x'),
  ],
  ['allowed', VIRGINIA, 'a role without a boundary', 'iam:CreateRole', role],
  ['denied', VIRGINIA, 'quotas where the zone is not', 'servicequotas:ListServices', '*'],
];
