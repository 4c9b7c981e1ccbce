import { deployment } from '../zones.ts';

/** One in the EU, and one with regions in three jurisdictions, among them that of the accelerator's interface. */
export const ZONES = {
  eu: deployment(),
  global: deployment({
    name: 'global',
    residency: undefined,
    origin: 'us-west-2',
    replicas: ['eu-west-1', 'ap-southeast-1'],
  }),
} as const;

/** A call to AWS, and what becomes of it. */
export interface Call {
  readonly zone: keyof typeof ZONES;
  readonly is: 'allowed' | 'denied';
  readonly what: string;
  readonly action: string;
  readonly resource: string;
  /** That the call goes to; null where the request says none. */
  readonly region: string | null;
  readonly context: Readonly<Record<string, string | string[]>>;
  /** Who calls: somebody whose own policies allow everything, or a user whom the resource's own policy lets in besides, by name. */
  readonly by: 'role' | 'named user';
}

export type Row = readonly [
  is: Call['is'],
  region: string | null,
  what: string,
  action: string,
  resource: string,
  context?: Call['context'],
  by?: Call['by'],
];

/** Calls to a zone's account, a row each. */
export function calls(zone: Call['zone'], rows: readonly Row[]): readonly Call[] {
  return rows.map(([is, region, what, action, resource, context = {}, by = 'role']) => ({
    zone,
    is,
    what,
    action,
    resource,
    region,
    context,
    by,
  }));
}

export const ACCOUNT = '222222222222';
export const arn = (service: string, region: string, rest: string): string =>
  `arn:aws:${service}:${region}:${ACCOUNT}:${rest}`;

export const FRANKFURT = 'eu-central-1';
export const PARIS = 'eu-west-3';
export const VIRGINIA = 'us-east-1';
export const OREGON = 'us-west-2';

export const key = arn('kms', FRANKFURT, 'key/mrk-1');
export const secret = arn('secretsmanager', FRANKFURT, 'secret:x-AbCdEf');
export const topic = arn('sns', FRANKFURT, 'alarms');
export const rule = arn('events', FRANKFURT, 'rule/x');
export const peering = arn('ec2', FRANKFURT, 'vpc-peering-connection/pcx-1');
export const snapshot = arn('rds', FRANKFURT, 'cluster-snapshot:x');
export const logGroup = arn('logs', FRANKFURT, 'log-group:x:*');
export const bucket = 'arn:aws:s3:::events';
// The one kind of ARN of EC2 that has no account.
export const diskIn = (region: string): string => `arn:aws:ec2:${region}::snapshot/snap-1`;
export const role = `arn:aws:iam::${ACCOUNT}:role/x`;
/** Of the CDK, which everybody takes on who deploys. */
export const deployer = `arn:aws:iam::${ACCOUNT}:role/cdk-hnb659fds-deploy-role-${ACCOUNT}-eu-central-1`;
export const bounded = (name: string) => ({
  'iam:PermissionsBoundary': `arn:aws:iam::${ACCOUNT}:policy/${name}`,
});
