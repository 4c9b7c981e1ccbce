import { beforeEach, describe, expect, it } from 'vitest';
import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import type { Properties } from '../values.ts';
import { EXAMPLES, parameterOf, roleOf } from './example-behaviours.ts';
import { Harness, listOf } from './harness.ts';
import { plain } from './text.ts';

let aws: Harness;

beforeEach(() => {
  aws = new Harness(EXAMPLES, {});
});

async function deploy(resources: Properties, more: Properties = {}): Promise<Properties> {
  return aws.deploy('stack', { Resources: resources, ...more });
}

/** Values of the parameters that there are, by logical id where a stack has them, else by name. */
function values(): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    aws.world
      .all('AWS::SSM::Parameter')
      .map(({ id, properties }) => [/^stack-([A-Z])-/u.exec(id)?.[1] ?? id, properties['Value']]),
  );
}

describe('a new stack', () => {
  it('makes its resources in the order of their dependencies, and says so', async () => {
    await deploy({
      B: parameterOf({ 'Fn::Sub': 'after ${A.Value}' }),
      A: parameterOf('a'),
      C: parameterOf('c', {}, { DependsOn: 'B' }),
    });
    expect(values()).toEqual({ A: 'a', B: 'after a', C: 'c' });
    expect(await aws.events('stack')).toEqual([
      'stack: REVIEW_IN_PROGRESS',
      'stack: CREATE_IN_PROGRESS',
      'A: CREATE_IN_PROGRESS',
      'A: CREATE_IN_PROGRESS',
      'A: CREATE_COMPLETE',
      'B: CREATE_IN_PROGRESS',
      'B: CREATE_IN_PROGRESS',
      'B: CREATE_COMPLETE',
      'C: CREATE_IN_PROGRESS',
      'C: CREATE_IN_PROGRESS',
      'C: CREATE_COMPLETE',
      'stack: CREATE_COMPLETE',
    ]);
  });

  it('puts what an account has once where all regions see it', async () => {
    await deploy({ A: roleOf({}) });
    expect(aws.world.all('AWS::IAM::Role').map(({ region }) => region)).toEqual(['aws-global']);
  });

  it('leaves out what a condition leaves out', async () => {
    await deploy(
      { A: parameterOf('a'), B: parameterOf('b', {}, { Condition: 'No' }) },
      {
        Conditions: { No: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'elsewhere'] } },
        Outputs: { O: { Condition: 'No', Value: { Ref: 'B' } } },
      },
    );
    expect(values()).toEqual({ A: 'a' });
  });

  it('goes back where something fails, but keeps what is to be retained', async () => {
    await deploy({
      A: parameterOf('a'),
      B: parameterOf('b', {}, { DeletionPolicy: 'Retain' }),
      C: parameterOf('c', {}, { DeletionPolicy: 'RetainExceptOnCreate' }),
      D: parameterOf('fail', {}, { DependsOn: ['A', 'B', 'C'] }),
    });
    expect(await aws.status('stack')).toBe('ROLLBACK_COMPLETE');
    expect(values()).toEqual({ B: 'b' });
    expect(aws.world.all('AWS::SSM::Parameter').map(({ stack }) => stack)).toEqual([null]);
    expect((await aws.reasons('stack'))[0]).toMatch(
      /^D: .*"it says fail .*HandlerErrorCode: GeneralServiceException/u,
    );
    expect((await aws.reasons('stack')).at(-1)).toMatch(
      /^stack: The following resource\(s\) failed to create: \[D\]\. /u,
    );
  });

  it('stays as it is where it is not to go back, can go on, and can be rolled back later', async () => {
    const input = { OnStackFailure: 'DO_NOTHING' };
    await aws.deploy('stack', { Resources: { A: parameterOf('a'), B: parameterOf('fail') } }, { input });
    expect(await aws.status('stack')).toBe('CREATE_FAILED');
    expect(values()).toEqual({ A: 'a' });
    await deploy({ A: parameterOf('a'), B: parameterOf('b') });
    expect(await aws.status('stack')).toBe('UPDATE_COMPLETE');
    expect(values()).toEqual({ A: 'a', B: 'b' });

    await aws.deploy(
      'other',
      {
        Resources: {
          A: parameterOf('x', { Name: 'x' }, { DeletionPolicy: 'Retain' }),
          B: parameterOf('fail'),
        },
      },
      { input },
    );
    await aws.call('RollbackStack', { StackName: 'other', RetainExceptOnCreate: 'true' });
    expect(await aws.status('other')).toBe('ROLLBACK_COMPLETE');
    expect(values()).toEqual({ A: 'a', B: 'b' });
  });

  it('fails where a resource never comes into use, and removes it', async () => {
    aws = new Harness(EXAMPLES, {}, { stabilizeMsMax: 1 });
    await deploy({ A: parameterOf('slow') });
    expect(await aws.status('stack')).toBe('ROLLBACK_COMPLETE');
    expect((await aws.reasons('stack'))[0]).toContain('Exceeded attempts to wait');
    expect(values()).toEqual({});
  });

  it('fails over a value that is wrong only once it is known', async () => {
    await deploy({
      A: parameterOf('x'.repeat(2000)),
      B: parameterOf('b', { Description: { 'Fn::GetAtt': 'A.Value' } }),
    });
    expect(await aws.status('stack')).toBe('ROLLBACK_COMPLETE');
    expect((await aws.reasons('stack'))[0]).toMatch(
      /^B: Properties validation failed for resource B with message:\n#\/Description: length 2000 exceeds/u,
    );
  });

  it('fails over a name that is taken, and over something that does not exist', async () => {
    await aws.deploy('owner', { Resources: { A: parameterOf('a', { Name: 'n' }) } });
    await deploy({
      A: parameterOf('a'),
      B: parameterOf('b', {
        Name: {
          'Fn::Join': ['', ['n', { 'Fn::Select': [1, { 'Fn::Split': ['a', { 'Fn::GetAtt': 'A.Value' }] }] }]],
        },
      }),
    });
    expect((await aws.reasons('stack'))[0]).toMatch(
      /^B: n already exists in stack arn:aws:cloudformation:.*stack\/owner\//u,
    );
    await aws.deploy('other', {
      Resources: {
        A: {
          Type: 'AWS::SNS::Subscription',
          Properties: {
            Protocol: 'email',
            Endpoint: 'a@example.com',
            TopicArn: 'arn:aws:sns:eu-west-1:111111111111:gone',
          },
        },
      },
    });
    expect((await aws.reasons('other'))[0]).toContain(
      "Resource of type 'AWS::SNS::Topic' with identifier 'arn:aws:sns:eu-west-1:111111111111:gone' was not found",
    );
    expect(aws.world.all('AWS::SNS::Subscription')).toEqual([]);
  });
});

describe('a resource that names what is not there', () => {
  const SUBSCRIPTION = 'AWS::SNS::Subscription';
  const missing = {
    A: {
      Type: SUBSCRIPTION,
      Properties: {
        Protocol: 'email',
        Endpoint: 'a@example.com',
        TopicArn: 'arn:aws:sns:eu-west-1:111111111111:gone',
      },
    },
  };
  /** With a subscription that makes a parameter and changes another, and can't be deleted. */
  const using = (create: Behaviour['create']): void => {
    const remove = (): never => {
      throw new Refusal('InvalidParameterCombination', 'it is protected');
    };
    const others = EXAMPLES.filter(({ type }) => type !== SUBSCRIPTION);
    aws = new Harness([...others, { type: SUBSCRIPTION, create, remove }]);
  };

  it('is refused for that, and nothing of it is left, however protected', async () => {
    using(({ world, place }) => {
      world.add({ ...place, type: 'made', id: 'm', properties: {}, attributes: {}, stack: null });
      for (const { state } of world.all('AWS::SSM::Parameter')) state.set('subscribed', true);
      return { id: 'subscription' };
    });
    await aws.deploy('other', { Resources: { P: parameterOf('p') } });
    await deploy(missing);
    expect((await aws.reasons('stack'))[0]).toMatch(/^A: .*arn:aws:sns:.*:gone' was not found/u);
    expect(aws.world.everything()).toMatchObject([{ type: 'AWS::SSM::Parameter', state: new Map() }]);
  });

  it('is refused in the words of its own behaviour where that has any', async () => {
    using(() => {
      throw new Refusal('InvalidParameter', 'Invalid parameter: TopicArn');
    });
    await deploy(missing);
    expect((await aws.reasons('stack'))[0]).toContain('"Invalid parameter: TopicArn');
  });
});

describe('an update', () => {
  beforeEach(() =>
    deploy({ A: parameterOf('a'), B: parameterOf({ 'Fn::GetAtt': 'A.Value' }), C: parameterOf('c') }),
  );

  it('changes what differs and what depends on it, adds and removes', async () => {
    const before = aws.world.everything().length;
    await deploy({ A: parameterOf('z'), B: parameterOf({ 'Fn::GetAtt': 'A.Value' }), D: parameterOf('d') });
    expect(values()).toEqual({ A: 'z', B: 'z', D: 'd' });
    expect(aws.world.everything()).toHaveLength(before);
    expect((await aws.events('stack')).slice(-5)).toEqual([
      'B: UPDATE_COMPLETE',
      'stack: UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'C: DELETE_IN_PROGRESS',
      'C: DELETE_COMPLETE',
      'stack: UPDATE_COMPLETE',
    ]);
  });

  it('makes anew what cannot be changed, before it deletes the old', async () => {
    await deploy({ A: parameterOf('a', { Name: 'first' }), B: parameterOf({ Ref: 'A' }) });
    await deploy({ A: parameterOf('a', { Name: 'second' }), B: parameterOf({ Ref: 'A' }) });
    expect(values()).toEqual({ second: 'a', B: 'second' });
    expect((await aws.events('stack')).slice(-8)).toEqual([
      'A: UPDATE_IN_PROGRESS',
      'A: UPDATE_COMPLETE',
      'B: UPDATE_IN_PROGRESS',
      'B: UPDATE_COMPLETE',
      'stack: UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'A: DELETE_IN_PROGRESS',
      'A: DELETE_COMPLETE',
      'stack: UPDATE_COMPLETE',
    ]);
  });

  it('keeps what it has replaced or removed where that is to be retained', async () => {
    const retained = { UpdateReplacePolicy: 'Retain', DeletionPolicy: 'Retain' };
    await deploy({
      A: parameterOf('a', { Name: 'first' }, retained),
      C: parameterOf('c', { Name: 'gone' }, retained),
    });
    await deploy({ A: parameterOf('a', { Name: 'second' }, retained) });
    expect(Object.keys(values()).toSorted()).toEqual(['first', 'gone', 'second']);
    expect(await aws.events('stack')).toContain('C: DELETE_SKIPPED');
  });

  it('refuses to make anew what has a name of its own', async () => {
    await deploy({ R: roleOf({ RoleName: 'r', Path: '/a/' }) });
    await deploy({ R: roleOf({ RoleName: 'r', Path: '/b/' }) });
    expect((await aws.reasons('stack'))[0]).toContain(
      'CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename r and update the stack again.',
    );
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_COMPLETE');
  });

  it('brings back the old where something fails', async () => {
    await deploy({ A: parameterOf('a', { Name: 'first' }), B: parameterOf('b'), C: parameterOf('c') });
    await deploy({
      A: parameterOf('a', { Name: 'second' }),
      B: parameterOf('changed'),
      D: parameterOf('d'),
      E: parameterOf('fail', {}, { DependsOn: ['A', 'B', 'D'] }),
    });
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(values()).toEqual({ first: 'a', B: 'b', C: 'c' });
    const { TemplateBody: body } = await aws.call('GetTemplate', { StackName: 'stack' });
    expect(Object.keys(JSON.parse(plain(body)).Resources)).toEqual(['A', 'B', 'C']);
    await deploy({ A: parameterOf('a', { Name: 'first' }), B: parameterOf('again'), C: parameterOf('c') });
    expect(await aws.status('stack')).toBe('UPDATE_COMPLETE');
  });

  it('stays as it is where it is not to go back, and can be rolled back later', async () => {
    await aws.call('UpdateStack', {
      StackName: 'stack',
      DisableRollback: 'true',
      TemplateBody: JSON.stringify({
        Resources: {
          A: parameterOf('z'),
          B: parameterOf('fail', {}, { DependsOn: 'A' }),
          C: parameterOf('c'),
        },
      }),
    });
    expect(await aws.status('stack')).toBe('UPDATE_FAILED');
    expect(values()).toEqual({ A: 'z', B: 'a', C: 'c' });
    await aws.call('RollbackStack', { StackName: 'stack' });
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(values()).toEqual({ A: 'a', B: 'a', C: 'c' });
  });

  it('leaves behind what AWS refuses to delete afterwards', async () => {
    await deploy({ A: parameterOf('a'), C: parameterOf('stay', { Name: 'stays' }) });
    await deploy({ A: parameterOf('a') });
    expect(await aws.status('stack')).toBe('UPDATE_COMPLETE');
    expect(await aws.events('stack')).toContain('C: DELETE_FAILED');
    expect(values()).toEqual({ A: 'a', stays: 'stay' });
  });
});

describe('a deletion', () => {
  it.each([
    ['Delete', {}],
    ['Retain', { kept: 'a' }],
    ['RetainExceptOnCreate', { kept: 'a' }],
  ])('does with what is there as %s says', async (DeletionPolicy, left) => {
    await deploy({ A: parameterOf('a', { Name: 'kept' }, { DeletionPolicy }), B: parameterOf('b') });
    await aws.call('DeleteStack', { StackName: 'stack' });
    expect(await aws.status('stack')).toBeUndefined();
    expect(values()).toEqual(left);
    expect(aws.world.everything().map(({ stack }) => stack)).toEqual(Object.keys(left).map(() => null));
  });

  it('goes backwards, and leaves nothing', async () => {
    await deploy({
      A: parameterOf('a'),
      B: parameterOf({ Ref: 'A' }),
      C: parameterOf('c', {}, { DependsOn: 'B' }),
    });
    await aws.call('DeleteStack', { StackName: 'stack' });
    expect(await aws.status('stack')).toBeUndefined();
    expect(aws.world.everything()).toEqual([]);
  });

  it('stops at what AWS refuses, and can go on past it', async () => {
    await deploy({
      A: parameterOf('a'),
      B: parameterOf('stay', { Name: 'b' }, { DependsOn: 'A' }),
      C: parameterOf('c'),
    });
    await aws.call('DeleteStack', { StackName: 'stack' });
    expect(await aws.status('stack')).toBe('DELETE_FAILED');
    expect(values()).toEqual({ A: 'a', b: 'stay' });
    expect((await aws.reasons('stack')).at(-1)).toBe(
      'stack: The following resource(s) failed to delete: [B]. ',
    );
    const { StackResources: left = null } = await aws.call('DescribeStackResources', { StackName: 'stack' });
    expect(
      listOf(left).map((one) => `${plain(one['LogicalResourceId'])} ${plain(one['ResourceStatus'])}`),
    ).toEqual(['A CREATE_COMPLETE', 'B DELETE_FAILED']);

    await aws.call('DeleteStack', { StackName: 'stack', RetainResources: ['B'] });
    expect(await aws.status('stack')).toBeUndefined();
    expect(values()).toEqual({ b: 'stay' });
  });
});
