import { describe, expect, test } from 'vitest';
import type { Json, Properties } from '../values.ts';
import { type Resource, World, globalPlace } from '../world.ts';
import { linkedRole } from './iam-linked-roles.ts';
import { PLACE, change, make, taskWorld, trustOf, unmake } from './task-world.ts';

const ROLE = 'AWS::IAM::Role';
const POLICY = 'AWS::IAM::Policy';
const MANAGED = 'AWS::IAM::ManagedPolicy';

const ALLOW: Properties = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };

function documentOf(...statements: readonly Properties[]): Properties {
  return { Version: '2012-10-17', Statement: statements };
}

/** A policy of about so many characters. */
function long(characters: number): Properties {
  return documentOf({ ...ALLOW, Resource: `arn:aws:s3:::${'x'.repeat(characters)}` });
}

function role(world: World, name: string, changes: Properties = {}): Resource {
  return make(
    world,
    ROLE,
    { RoleName: name, AssumeRolePolicyDocument: trustOf('ecs-tasks'), ...changes },
    name,
  );
}

function managed(world: World, name: string, changes: Properties = {}): Resource {
  return make(world, MANAGED, { ManagedPolicyName: name, PolicyDocument: documentOf(ALLOW), ...changes });
}

test('a role belongs to the account, whatever region makes it; its names and attributes are those of IAM', () => {
  const world = new World();
  const made = role(world, 'app', { Path: '/tasks/' });
  expect(made).toMatchObject({ ...globalPlace(PLACE), id: 'app' });
  expect(made.attributes).toEqual({
    Arn: 'arn:aws:iam::111122223333:role/tasks/app',
    RoleId: expect.stringMatching(/^AROA[0-9A-F]{17}$/),
  });
  expect(managed(world, 'bound').id).toBe('arn:aws:iam::111122223333:policy/bound');
});

describe('a role is refused', () => {
  test('whose name another has, in whatever case', () => {
    const world = new World();
    role(world, 'app');
    expect(() => role(world, 'APP')).toThrow(
      expect.objectContaining({ code: 'EntityAlreadyExists', message: 'Role with name APP already exists.' }),
    );
  });

  test.each<[string, Properties, string, string]>([
    [
      'with a name over 64 characters',
      { RoleName: 'r'.repeat(65) },
      'ValidationError',
      'failed to satisfy constraint',
    ],
    [
      'with a boundary that is not there',
      { PermissionsBoundary: 'arn:aws:iam::111122223333:policy/none' },
      'NoSuchEntity',
      'does not exist or is not attachable',
    ],
    [
      'with a managed policy that is not there',
      { ManagedPolicyArns: ['arn:aws:iam::111122223333:policy/none'] },
      'NoSuchEntity',
      'does not exist or is not attachable',
    ],
    [
      'with more than ten managed policies',
      { ManagedPolicyArns: Array.from({ length: 11 }, (_, n) => `arn:aws:iam::aws:policy/P${n}`) },
      'LimitExceeded',
      'Cannot exceed quota for PoliciesPerRole: 10',
    ],
    [
      'with inline policies over 10,240 characters',
      { Policies: [6000, 6000].map((size, n) => ({ PolicyName: `p${n}`, PolicyDocument: long(size) })) },
      'LimitExceeded',
      'Maximum policy size of 10240 bytes exceeded for role app',
    ],
    [
      'with a trust policy over 2,048 characters',
      {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: Array.from({ length: 30 }, () => ({
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'ecs-tasks.amazonaws.com' },
          })),
        },
      },
      'LimitExceeded',
      'Cannot exceed quota for ACLSizePerRole: 2048',
    ],
    [
      'that trusts a role that is not there',
      {
        AssumeRolePolicyDocument: documentOf({
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { AWS: 'arn:aws:iam::111122223333:role/none' },
        }),
      },
      'MalformedPolicyDocument',
      'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/none"',
    ],
    [
      'that trusts nobody',
      { AssumeRolePolicyDocument: documentOf({ Effect: 'Allow', Action: 'sts:AssumeRole' }) },
      'MalformedPolicyDocument',
      'Missing required field Principal',
    ],
    [
      'whose trust names a resource',
      { AssumeRolePolicyDocument: documentOf({ ...ALLOW, Action: 'sts:AssumeRole', Principal: '*' }) },
      'MalformedPolicyDocument',
      'Has prohibited field Resource',
    ],
    [
      'whose trust allows something else',
      { AssumeRolePolicyDocument: documentOf({ Effect: 'Allow', Action: 's3:GetObject', Principal: '*' }) },
      'MalformedPolicyDocument',
      'AssumeRole policy may only specify STS AssumeRole actions.',
    ],
    ['for less than an hour', { MaxSessionDuration: 60 }, 'ValidationError', "at 'maxSessionDuration'"],
  ])('%s', (_, changes, code, sentence) => {
    const world = new World();
    expect(() => role(world, 'app', changes)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(sentence) }),
    );
    expect(world.all(ROLE)).toEqual([]);
  });
});

test('a role may trust its account, another role and a service', () => {
  const world = new World();
  role(world, 'first');
  const AWS = ['111122223333', 'arn:aws:iam::444455556666:root', 'arn:aws:iam::111122223333:role/first'];
  const trust = documentOf({
    Effect: 'Allow',
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Principal: { AWS },
  });
  expect(role(world, 'second', { AssumeRolePolicyDocument: trust }).id).toBe('second');
});

describe('a policy is refused as malformed', () => {
  test.each<[string, Json, string]>([
    ['without statements', { Version: '2012-10-17', Statement: [] }, 'Syntax errors in policy.'],
    [
      'of a version that there is not',
      { Version: '2020-01-01', Statement: [ALLOW] },
      'Syntax errors in policy.',
    ],
    [
      'with an effect that there is not',
      documentOf({ ...ALLOW, Effect: 'Maybe' }),
      'Syntax errors in policy.',
    ],
    [
      'with an element that there is not',
      documentOf({ ...ALLOW, Resources: '*' }),
      'Syntax errors in policy.',
    ],
    [
      'without actions',
      documentOf({ Effect: 'Allow', Resource: '*' }),
      'Policy statement must contain actions.',
    ],
    [
      'with an action of no service',
      documentOf({ ...ALLOW, Action: 'GetObject' }),
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ],
    [
      'without resources',
      documentOf({ Effect: 'Allow', Action: 's3:*' }),
      'Policy statement must contain resources.',
    ],
    [
      'with a resource that is no ARN',
      documentOf({ ...ALLOW, Resource: 'bucket' }),
      'Resource bucket must be in ARN format or "*".',
    ],
    [
      'with a principal',
      documentOf({ ...ALLOW, Principal: '*' }),
      'Policy document should not specify a principal.',
    ],
    [
      'with a statement id twice',
      documentOf({ ...ALLOW, Sid: 'a' }, { ...ALLOW, Sid: 'a' }),
      'Statement IDs (SID) in a single policy must be unique.',
    ],
    [
      'with a statement id with a space',
      documentOf({ ...ALLOW, Sid: 'a b' }),
      'Statement IDs (SID) must be alpha-numeric.',
    ],
    [
      'with an operator that there is not',
      documentOf({ ...ALLOW, Condition: { StringEqual: {} } }),
      'Invalid Condition type : StringEqual.',
    ],
  ])('%s', (_, PolicyDocument, sentence) => {
    expect(() => managed(new World(), 'p', { PolicyDocument })).toThrow(
      expect.objectContaining({
        code: 'MalformedPolicyDocument',
        message: expect.stringContaining(sentence),
      }),
    );
  });
});

describe('inline policies', () => {
  test('of a role that is not there are refused', () => {
    expect(() =>
      make(new World(), POLICY, { PolicyName: 'p', PolicyDocument: documentOf(ALLOW), Roles: ['none'] }),
    ).toThrow(
      expect.objectContaining({ code: 'NoSuchEntity', message: 'The role with name none cannot be found.' }),
    );
  });

  test('of one role share one limit, whichever resource holds them', () => {
    const world = new World();
    role(world, 'app', { Policies: [{ PolicyName: 'own', PolicyDocument: long(5000) }] });
    const policy = (name: string, size: number): Resource =>
      make(world, POLICY, { PolicyName: name, PolicyDocument: long(size), Roles: ['app'] }, name);
    const first = policy('first', 4900);
    expect(() => policy('second', 500)).toThrow('Maximum policy size of 10240 bytes exceeded for role app');
    // Its own former size isn't counted when it changes.
    change(world, first, { PolicyDocument: long(4950) });
    expect(first.properties['PolicyDocument']).toEqual(long(4950));
  });

  test('keep their role from being deleted', () => {
    const world = new World();
    const app = role(world, 'app');
    const policy = make(world, POLICY, {
      PolicyName: 'p',
      PolicyDocument: documentOf(ALLOW),
      Roles: ['app'],
    });
    expect(() => unmake(world, app)).toThrow(
      expect.objectContaining({
        code: 'DeleteConflict',
        message: 'Cannot delete entity, must delete policies first.',
      }),
    );
    unmake(world, policy);
    unmake(world, app);
    expect(world.all(ROLE)).toEqual([]);
  });
});

describe('managed policies', () => {
  test('over 6,144 characters are refused; white space is not counted', () => {
    expect(() => managed(new World(), 'p', { PolicyDocument: long(6200) })).toThrow(
      'Cannot exceed quota for PolicySize: 6144',
    );
    const spaced = `${' '.repeat(7000)}${JSON.stringify(documentOf(ALLOW))}`;
    expect(spaced.length).toBeGreaterThan(6144);
    expect(managed(new World(), 'p', { PolicyDocument: spaced }).id).toMatch(/policy\/p$/);
  });

  test('of a name that is taken are refused', () => {
    const world = new World();
    managed(world, 'p');
    expect(() => managed(world, 'p')).toThrow(
      'A policy called p already exists. Duplicate names are not allowed.',
    );
  });

  test.each(['PermissionsBoundary', 'ManagedPolicyArns'])('that a role has in %s stay', (property) => {
    const world = new World();
    const { id } = managed(world, 'p');
    const app = role(world, 'app', { [property]: property === 'PermissionsBoundary' ? id : [id] });
    const policy = world.find(globalPlace(PLACE), MANAGED, id);
    if (policy === undefined) throw new Error('no policy');
    expect(() => unmake(world, policy)).toThrow(
      expect.objectContaining({
        code: 'DeleteConflict',
        message: 'Cannot delete a policy attached to entities.',
      }),
    );
    unmake(world, app);
    unmake(world, policy);
    expect(world.all(MANAGED)).toEqual([]);
  });

  test('that name a role keep it from being deleted', () => {
    const world = new World();
    const app = role(world, 'app');
    managed(world, 'p', { Roles: ['app'] });
    expect(() => unmake(world, app)).toThrow('Cannot delete entity, must detach all policies first.');
  });
});

describe('service-linked roles', () => {
  test('of ECS come with the first cluster, cannot be made again, and stay while a cluster is there', () => {
    const world = taskWorld();
    const linked = linkedRole(world, PLACE, 'ecs.amazonaws.com');
    expect(linked?.attributes['Arn']).toBe(
      'arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS',
    );
    expect(() => make(world, 'AWS::IAM::ServiceLinkedRole', { AWSServiceName: 'ecs.amazonaws.com' })).toThrow(
      'Service role name AWSServiceRoleForECS has been taken in this account',
    );
    if (linked === undefined) throw new Error('no role');
    expect(() => unmake(world, linked)).toThrow(expect.objectContaining({ code: 'DeleteConflict' }));
  });
});
