import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, test } from 'vitest';
import { stackNames } from '../names.ts';
import { ACCOUNT, arn, bucket, FRANKFURT, key, PARIS } from '../test/residency/call.ts';
import { stackFilesOf } from '../test/residency/templates.ts';
import { deployment } from '../test/zones.ts';
import { boundaryStatements } from './policies.ts';
import { isObject, type Json, type JsonObject } from './template.ts';

/**
 * What ECS does as the execution role to start a task, and a task with the key for recoverable keys: each call has to pass the role's own
 * policies and the boundary, as they are in the templates, and the policy of the endpoint that it goes through.
 */

const ZONE = deployment();
const STACKS = stackFilesOf();
const RESOURCES = {
  base: resourcesOf(stackNames.base(ZONE, FRANKFURT)),
  service: resourcesOf(stackNames.service(ZONE, FRANKFURT)),
};
const STRANGER = '999999999999';
const secretOf = (output: string): string => arn('secretsmanager', FRANKFURT, `secret:${output}`);
const streamOf = (group: string): string =>
  arn('logs', FRANKFURT, `log-group:${group}:log-stream:keyhearth/1`);
const LAYERS = 'arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/layer';
const repository = arn('ecr', FRANKFURT, 'repository/keyhearth');

function resourcesOf(stackName: string): readonly (readonly [id: string, resource: JsonObject])[] {
  const { Resources: resources } = STACKS.get(stackName)?.template ?? {};
  return Object.entries(isObject(resources) ? resources : {}).flatMap(([id, resource]) =>
    isObject(resource) ? [[id, resource] as const] : [],
  );
}

function plain(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`no text: ${JSON.stringify(value)}`);
  return value;
}

/** A policy of a template with what its references stand for: an output and a log group by their own names, a key by one ARN. */
function resolved(value: Json): Json {
  if (Array.isArray(value)) return value.map(resolved);
  if (!isObject(value)) return value;
  const { 'Fn::Join': join, 'Fn::GetAtt': att, 'Fn::GetStackOutput': output, Ref: ref } = value;
  if (ref === 'AWS::Region') return FRANKFURT;
  if (Array.isArray(join)) return [resolved(join[1] ?? [])].flat(2).map(plain).join('');
  if (Array.isArray(att)) return arn('logs', FRANKFURT, `log-group:${plain(att[0])}:*`);
  // IAM takes both for the same; the simulator knows the short one.
  if (Object.keys(value).length === 1 && value['AWS'] === '*') return '*';
  if (isObject(output)) {
    const name = plain(output['OutputName']);
    return name.includes('Key') ? key : name;
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [simulated(name), resolved(one)]));
}

/** The simulator passes over conditions on an encryption context; on a principal's tag of the same name it decides alike. */
function simulated(conditionKey: string): string {
  return conditionKey.replace(/^kms:EncryptionContext:/, 'aws:PrincipalTag/');
}

/** By what only its policies allow: the role that pulls the image logs in to the registry, a task's to the database. */
const ROLES = { execution: 'ecr:GetAuthorizationToken', task: 'rds-db:connect' } as const;

function policiesOf(role: keyof typeof ROLES): readonly Json[] {
  return RESOURCES.service.flatMap(([, { Type: type, Properties: properties }]) =>
    type === 'AWS::IAM::Policy' && isObject(properties) && JSON.stringify(properties).includes(ROLES[role])
      ? [resolved(properties['PolicyDocument'] ?? null)]
      : [],
  );
}

function endpointPolicy(service: string): Json {
  const found = RESOURCES.base.flatMap(([, { Type: type, Properties: properties }]) =>
    type === 'AWS::EC2::VPCEndpoint' &&
    isObject(properties) &&
    resolved(properties['ServiceName'] ?? '') === `com.amazonaws.${FRANKFURT}.${service}`
      ? [resolved(properties['PolicyDocument'] ?? null)]
      : [],
  );
  expect(found).toHaveLength(1);
  return found[0] ?? null;
}

/** Groups that the containers' definitions name. */
function logGroups(): readonly string[] {
  const tasks = RESOURCES.service.filter(([, { Type: type }]) => type === 'AWS::ECS::TaskDefinition');
  const found = JSON.stringify(tasks).matchAll(/"awslogs-group":\{"Ref":"(\w+)"\}/g);
  return [...new Set([...found].map(([, id = '']) => id))];
}

const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

interface Passing {
  /** Null for calls that no endpoint is between: the called service makes them. */
  readonly endpoint: string | null;
  readonly action: string;
  readonly resource: string;
  readonly resourceAccount?: string;
  readonly context?: Readonly<Record<string, string>>;
  /** @default 'execution' */
  readonly role?: keyof typeof ROLES;
  /** Whether another account's credentials are used. */
  readonly stranger?: boolean;
}

async function isAllowed({
  endpoint,
  action,
  resource,
  resourceAccount = ACCOUNT,
  context = {},
  role = 'execution',
  stranger = false,
}: Passing): Promise<boolean> {
  const account = stranger ? STRANGER : ACCOUNT;
  const boundary = { Version: '2012-10-17', Statement: boundaryStatements(ZONE, FRANKFURT) };
  const own = policiesOf(role).map((policy) => ({ name: role, policy }));
  // What belongs to another account lets in who asks: it is the endpoint that has to refuse. A key lets its own account in.
  const whom = action.startsWith('kms:') ? { AWS: `arn:aws:iam::${resourceAccount}:root` } : '*';
  const letsIn = { ...ALL, Statement: [{ Effect: 'Allow', Principal: whom, Action: '*', Resource: '*' }] };
  const needsPolicy = action.startsWith('kms:') || resourceAccount !== account;
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${account}:role/${role}`,
        action,
        resource: { resource, accountId: resourceAccount },
        contextVariables: {
          'aws:RequestedRegion': FRANKFURT,
          'aws:PrincipalAccount': account,
          'aws:ResourceAccount': resourceAccount,
          ...context,
        },
      },
      identityPolicies: stranger ? [{ name: 'all', policy: ALL }] : own,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(stranger ? {} : { permissionBoundaryPolicies: [{ name: 'boundary', policy: boundary }] }),
      ...(needsPolicy ? { resourcePolicy: letsIn } : {}),
      ...(endpoint === null
        ? {}
        : { vpcEndpointPolicies: [{ name: endpoint, policy: endpointPolicy(endpoint) }] }),
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult === 'Allowed';
}

const viaSecrets = { 'kms:ViaService': `secretsmanager.${FRANKFURT}.amazonaws.com` };

const STARTING: readonly (readonly [what: string, call: Passing])[] = [
  ['a login to the registry', { endpoint: 'ecr.api', action: 'ecr:GetAuthorizationToken', resource: '*' }],
  ['the manifest', { endpoint: 'ecr.dkr', action: 'ecr:BatchGetImage', resource: repository }],
  ['where a layer is', { endpoint: 'ecr.api', action: 'ecr:GetDownloadUrlForLayer', resource: repository }],
  // ECR signs the address: its credentials, its bucket, its account.
  [
    'the layer itself',
    {
      endpoint: 's3',
      action: 's3:GetObject',
      resource: LAYERS,
      resourceAccount: STRANGER,
      stranger: true,
    },
  ],
  [
    "the database's master password",
    {
      endpoint: 'secretsmanager',
      action: 'secretsmanager:GetSecretValue',
      resource: secretOf('MasterSecretName'),
    },
  ],
  [
    "the peers' secret",
    {
      endpoint: 'secretsmanager',
      action: 'secretsmanager:GetSecretValue',
      resource: secretOf('PeersSecretName'),
    },
  ],
  [
    'its decryption by Secrets Manager',
    { endpoint: null, action: 'kms:Decrypt', resource: key, context: viaSecrets },
  ],
  ...logGroups().flatMap((group) => [
    [
      `a stream of ${group}`,
      { endpoint: 'logs', action: 'logs:CreateLogStream', resource: streamOf(group) },
    ] as const,
    [
      `lines for ${group}`,
      { endpoint: 'logs', action: 'logs:PutLogEvents', resource: streamOf(group) },
    ] as const,
  ]),
];

describe('a task starts: its execution role, under the boundary and through the endpoint, is allowed', () => {
  test.each(STARTING)('%s', async (_, call) => {
    expect(await isAllowed(call)).toBe(true);
  });
});

const zoneOf = (zone: string): Passing['context'] => ({
  [simulated('kms:EncryptionContext:zone')]: zone,
});

describe('a task may, through the endpoint of KMS', () => {
  test.each(['kms:Encrypt', 'kms:Decrypt'])('%s for its own zone', async (action) => {
    const call = { endpoint: 'kms', role: 'task', action, resource: key } as const;
    expect(await isAllowed({ ...call, context: zoneOf(ZONE.name) })).toBe(true);
  });
});

const REFUSED: readonly (readonly [what: string, call: Passing])[] = [
  [
    'a layer from a bucket that is not that of layers',
    {
      endpoint: 's3',
      action: 's3:GetObject',
      resource: `${bucket}/x`,
      resourceAccount: STRANGER,
      stranger: true,
    },
  ],
  [
    'an object for somebody else, in the layers’ bucket',
    { endpoint: 's3', action: 's3:PutObject', resource: LAYERS, resourceAccount: STRANGER, stranger: true },
  ],
  [
    "another account's secret, though it is offered",
    {
      endpoint: 'secretsmanager',
      action: 'secretsmanager:GetSecretValue',
      resource: `arn:aws:secretsmanager:${FRANKFURT}:${STRANGER}:secret:x-AbCdEf`,
      resourceAccount: STRANGER,
    },
  ],
  [
    'logs with stolen credentials, into their own account',
    {
      endpoint: 'logs',
      action: 'logs:PutLogEvents',
      resource: `arn:aws:logs:${FRANKFURT}:${STRANGER}:log-group:x:log-stream:y`,
      resourceAccount: STRANGER,
      stranger: true,
    },
  ],
  [
    'another secret of the account',
    { endpoint: 'secretsmanager', action: 'secretsmanager:GetSecretValue', resource: secretOf('other') },
  ],
  ['another image', { endpoint: 'ecr.dkr', action: 'ecr:BatchGetImage', resource: `${repository}-other` }],
  [
    'a secret of another region',
    {
      endpoint: 'secretsmanager',
      action: 'secretsmanager:GetSecretValue',
      resource: arn('secretsmanager', PARIS, 'secret:PeersSecretName'),
    },
  ],
  ...['kms:Encrypt', 'kms:Decrypt'].flatMap((action) => {
    const call = { endpoint: 'kms', role: 'task', action, resource: key } as const;
    const elsewhere = arn('kms', PARIS, 'key/mrk-1');
    return [
      [`a task, ${action} for another zone`, { ...call, context: zoneOf('global') }],
      [`a task, ${action} for no zone`, call],
      [
        `a task, ${action} with another region's key`,
        { ...call, resource: elsewhere, context: zoneOf(ZONE.name) },
      ],
    ] as const;
  }),
  [
    "a stranger's key for a task's text",
    {
      endpoint: 'kms',
      action: 'kms:Encrypt',
      resource: `arn:aws:kms:${FRANKFURT}:${STRANGER}:key/x`,
      resourceAccount: STRANGER,
      stranger: true,
    },
  ],
  ['decrypting by itself', { endpoint: null, action: 'kms:Decrypt', resource: key }],
];

test('its containers have logs', () => {
  expect(logGroups().length).toBeGreaterThan(1);
});

describe('refused', () => {
  test.each(REFUSED)('%s', async (_, call) => {
    expect(await isAllowed(call)).toBe(false);
  });
});

test.each(REFUSED.filter(([, { stranger = false }]) => stranger))(
  'it is the endpoint that refuses: %s',
  async (_, call) => {
    expect(await isAllowed({ ...call, endpoint: null })).toBe(true);
  },
);
