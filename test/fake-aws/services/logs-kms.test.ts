import { describe, expect, it } from 'vitest';
import { AWAY, DataWorld, ELSEWHERE, HOME, keyPolicy, refusalOf } from '../behaviours/data-fixture.ts';
import type { Answer, Call, Service } from '../call.ts';
import type { Place, Properties } from '../values.ts';
import { KMS_SERVICE } from './kms.ts';
import { LOGS_SERVICE, appendLog } from './logs.ts';

/** What a service answers; both speak JSON, so an answer's result is what goes over the wire. */
function ask(
  service: Service,
  data: DataWorld,
  action: string,
  input: Properties,
  place: Place = HOME,
): Properties {
  const call: Call = {
    ...place,
    world: data.world,
    action,
    input,
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: {},
    body: Buffer.alloc(0),
    endpoint: 'http://127.0.0.1:20000',
  };
  // None of these actions waits for anything.
  const answer = service.actions[action]?.(call) as Answer | undefined;
  if (answer === undefined || !('result' in answer)) throw new Error(`${action} has no result`);
  return answer.result;
}

function withLogs(): DataWorld {
  const data = new DataWorld();
  data.make('AWS::Logs::LogGroup', { LogGroupName: '/ecs/tasks', RetentionInDays: 7, KmsKeyId: data.key() });
  const lines: [string, string, number][] = [
    ['api/1', 'started', 1000],
    ['api/2', 'ERROR no database', 2000],
    ['api/1', 'ERROR "two words" here', 3000],
  ];
  for (const [stream, line, at] of lines) appendLog(data.world, HOME, '/ecs/tasks', stream, line, at);
  return data;
}

describe('logs', () => {
  const filtered = (input: Properties): readonly unknown[] =>
    (
      ask(LOGS_SERVICE, withLogs(), 'FilterLogEvents', { logGroupName: '/ecs/tasks', ...input })[
        'events'
      ] as {
        message: string;
      }[]
    ).map(({ message }) => message);

  it('are read over all streams in the order of their time, within a time and by their words', () => {
    expect(filtered({})).toEqual(['started', 'ERROR no database', 'ERROR "two words" here']);
    expect(filtered({ startTime: 1500, endTime: 2500 })).toEqual(['ERROR no database']);
    expect(filtered({ logStreamNames: ['api/1'] })).toEqual(['started', 'ERROR "two words" here']);
    expect(filtered({ filterPattern: 'ERROR -database' })).toEqual(['ERROR "two words" here']);
    expect(filtered({ filterPattern: '"two words"' })).toEqual(['ERROR "two words" here']);
    expect(filtered({ filterPattern: '?started ?database' })).toEqual(['started', 'ERROR no database']);
    expect(refusalOf(() => filtered({ filterPattern: '{ $.level = "error" }' }))).toMatch(
      /^InvalidParameterException/u,
    );
  });

  it('are read page by page', () => {
    const data = withLogs();
    const group = { logGroupName: '/ecs/tasks', limit: 2 };
    const first = ask(LOGS_SERVICE, data, 'FilterLogEvents', group);
    expect(first).toMatchObject({ events: { length: 2 }, nextToken: '2' });
    const second = ask(LOGS_SERVICE, data, 'FilterLogEvents', {
      ...group,
      nextToken: first['nextToken'] ?? '',
    });
    expect(second).toMatchObject({ events: [{ message: 'ERROR "two words" here', logStreamName: 'api/1' }] });
    expect(second).not.toHaveProperty('nextToken');
  });

  it('of one stream end with the token that they were asked with', () => {
    const data = withLogs();
    const stream = { logGroupName: '/ecs/tasks', logStreamName: 'api/1', startFromHead: true, limit: 1 };
    const next = (token?: string): Properties =>
      ask(LOGS_SERVICE, data, 'GetLogEvents', {
        ...stream,
        ...(token === undefined ? {} : { nextToken: token }),
      });
    expect(next()).toMatchObject({ events: [{ message: 'started' }], nextForwardToken: 'f/1' });
    expect(next('f/1')).toMatchObject({ events: [{ timestamp: 3000 }], nextForwardToken: 'f/2' });
    expect(next('f/2')).toMatchObject({ events: [], nextForwardToken: 'f/2' });
    // Without being told otherwise, from the end.
    const { startFromHead: _, ...last } = stream;
    expect(ask(LOGS_SERVICE, data, 'GetLogEvents', last)).toMatchObject({ events: [{ timestamp: 3000 }] });
  });

  it('have groups and streams that can be listed, and are refused where there is none', () => {
    const data = withLogs();
    expect(ask(LOGS_SERVICE, data, 'DescribeLogGroups', { logGroupNamePrefix: '/ecs' })).toMatchObject({
      logGroups: [{ logGroupName: '/ecs/tasks', retentionInDays: 7, kmsKeyId: data.key() }],
    });
    expect(
      ask(LOGS_SERVICE, data, 'DescribeLogStreams', {
        logGroupName: '/ecs/tasks',
        orderBy: 'LastEventTime',
        descending: true,
      }),
    ).toMatchObject({
      logStreams: [{ logStreamName: 'api/1', lastEventTimestamp: 3000 }, { logStreamName: 'api/2' }],
    });
    expect(refusalOf(() => ask(LOGS_SERVICE, data, 'FilterLogEvents', { logGroupName: 'no' }))).toMatch(
      /^ResourceNotFoundException/u,
    );
    expect(
      refusalOf(() => ask(LOGS_SERVICE, data, 'FilterLogEvents', { logGroupName: '/ecs/tasks' }, AWAY)),
    ).toMatch(/^ResourceNotFoundException/u);
  });
});

describe('keys', () => {
  it('are described under their alias, with their replicas', () => {
    const data = new DataWorld();
    const primary = data.make('AWS::KMS::Key', { MultiRegion: true });
    data.make('AWS::KMS::Alias', { AliasName: 'alias/mine', TargetKeyId: primary.id });
    const arn = primary.attributes['Arn'] ?? '';
    data.make('AWS::KMS::ReplicaKey', { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn: arn }, AWAY);
    expect(ask(KMS_SERVICE, data, 'DescribeKey', { KeyId: 'alias/mine' })).toMatchObject({
      KeyMetadata: {
        KeyId: primary.id,
        KeyState: 'Enabled',
        MultiRegionConfiguration: {
          MultiRegionKeyType: 'PRIMARY',
          PrimaryKey: { Arn: arn, Region: 'eu-central-1' },
          ReplicaKeys: [{ Region: 'eu-west-3' }],
        },
      },
    });
    expect(ask(KMS_SERVICE, data, 'ListAliases', { KeyId: primary.id })).toMatchObject({
      Aliases: [{ AliasName: 'alias/mine', TargetKeyId: primary.id }],
    });
  });

  it('wait for their replicas before their own waiting period begins', () => {
    const data = new DataWorld();
    const primary = data.make('AWS::KMS::Key', { MultiRegion: true });
    const replica = data.make(
      'AWS::KMS::ReplicaKey',
      { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn: primary.attributes['Arn'] ?? '' },
      AWAY,
    );
    const deleted = ask(KMS_SERVICE, data, 'ScheduleKeyDeletion', {
      KeyId: primary.id,
      PendingWindowInDays: 7,
    });
    expect(deleted).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 7 });
    expect(deleted).not.toHaveProperty('DeletionDate');
    data.remove(replica);
    expect(ask(KMS_SERVICE, data, 'DescribeKey', { KeyId: primary.id })).toMatchObject({
      KeyMetadata: {
        KeyState: 'PendingDeletion',
        Enabled: false,
        DeletionDate: expect.any(Number) as number,
      },
    });
    expect(refusalOf(() => ask(KMS_SERVICE, data, 'ScheduleKeyDeletion', { KeyId: primary.id }))).toMatch(
      /^KMSInvalidStateException/u,
    );
  });

  it('are deleted by their id and by no alias', () => {
    const data = new DataWorld();
    data.make('AWS::KMS::Alias', { AliasName: 'alias/mine', TargetKeyId: data.key() });
    expect(refusalOf(() => ask(KMS_SERVICE, data, 'ScheduleKeyDeletion', { KeyId: 'alias/mine' }))).toMatch(
      /^NotFoundException/u,
    );
    expect(ask(KMS_SERVICE, data, 'DescribeKey', { KeyId: 'alias/mine' })).toMatchObject({
      KeyMetadata: { KeyState: 'Enabled' },
    });
  });

  it('are refused where there is none', () => {
    expect(refusalOf(() => ask(KMS_SERVICE, new DataWorld(), 'DescribeKey', { KeyId: 'no' }))).toMatch(
      /^NotFoundException/u,
    );
  });
});

describe('ciphertexts', () => {
  const Plaintext = Buffer.from('a text').toString('base64');
  const EncryptionContext = { one: '1', other: '2' };

  function withKeys() {
    const data = new DataWorld();
    const origin = data.make('AWS::KMS::Key', { MultiRegion: true });
    const PrimaryKeyArn = origin.attributes['Arn'] ?? '';
    data.make('AWS::KMS::ReplicaKey', { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn }, AWAY);
    const KeyId = origin.id;
    const made = ask(KMS_SERVICE, data, 'Encrypt', { KeyId, Plaintext, EncryptionContext });
    const decrypt = (input: Properties, place: Place = HOME): Properties =>
      ask(
        KMS_SERVICE,
        data,
        'Decrypt',
        {
          CiphertextBlob: made['CiphertextBlob'] ?? '',
          EncryptionContext,
          ...input,
        },
        place,
      );
    return { data, origin, KeyId, decrypt };
  }

  it('are read by each copy of a multi-Region key, named or not, and their context has no order', () => {
    const { KeyId, decrypt } = withKeys();
    for (const place of [HOME, AWAY]) {
      expect(decrypt({ KeyId }, place)).toMatchObject({ Plaintext });
      expect(decrypt({ EncryptionContext: { other: '2', one: '1' } }, place)).toMatchObject({
        Plaintext,
        KeyId: `arn:aws:kms:${place.region}:${place.account}:key/${KeyId}`,
      });
    }
  });

  it.each([
    ['with another context', { EncryptionContext: { one: '1' } }, HOME, /^InvalidCiphertextException/u],
    ['that are none', { CiphertextBlob: 'AAAA' }, HOME, /^InvalidCiphertextException/u],
    ['where there is no copy of their key', {}, ELSEWHERE, /^AccessDeniedException/u],
    ['by a key that isn’t there', { KeyId: 'no' }, HOME, /^NotFoundException/u],
  ] as const)('are refused %s', (_, input, place, refusal) => {
    expect(refusalOf(() => withKeys().decrypt(input, place))).toMatch(refusal);
  });

  it('are refused by another key, by one of another region, and by one that may not be used', () => {
    const { data, origin, KeyId, decrypt } = withKeys();
    expect(refusalOf(() => decrypt({ KeyId: data.key() }))).toMatch(/^IncorrectKeyException/u);
    expect(refusalOf(() => decrypt({ KeyId: origin.attributes['Arn'] ?? '' }, AWAY))).toMatch(
      /^NotFoundException: Invalid arn eu-central-1/u,
    );
    data.change(origin, { Enabled: false });
    expect(refusalOf(() => decrypt({ KeyId }))).toMatch(/^DisabledException/u);
    data.remove(origin);
    expect(refusalOf(() => decrypt({}))).toMatch(/^KMSInvalidStateException/u);
  });

  it('are of 4,096 bytes at most', () => {
    const { data, KeyId } = withKeys();
    const of = (bytes: number) => () =>
      ask(KMS_SERVICE, data, 'Encrypt', { KeyId, Plaintext: Buffer.alloc(bytes).toString('base64') });
    expect(of(4096)).not.toThrow();
    expect(refusalOf(of(4097))).toMatch(/^ValidationException/u);
  });
});
