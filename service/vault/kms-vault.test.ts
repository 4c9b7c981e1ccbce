import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { DataWorld, keyPolicy, HOME, AWAY } from '../../test/fake-aws/behaviours/data-fixture.ts';
import { type FakeAws, startFakeAws } from '../../test/fake-aws/server.ts';
import { KMS_SERVICE } from '../../test/fake-aws/services/kms.ts';
import type { Resource } from '../../test/fake-aws/world.ts';
import { Problem } from '../domain/problem.ts';
import { KmsVault } from './kms-vault.ts';

const CONTEXT = { workspaceId: 'ws_1', keyId: 'key_1' };
const TEXT = 'kh_a_text_that_nobody_may_see';
/** Far away from a call's own time. */
const SHORT_MS = 200;

let aws: FakeAws;
let data: DataWorld;

beforeAll(async () => {
  data = new DataWorld();
  aws = await startFakeAws({ world: data.world, services: [KMS_SERVICE] });
});
afterAll(() => aws.close());
beforeEach(() => {
  for (const [name, value] of Object.entries(aws.environment(HOME.account))) vi.stubEnv(name, value);
  return () => vi.unstubAllEnvs();
});

const arnOf = ({ attributes }: Resource): string => attributes['Arn'] as string;

function vaultOf(key: Resource, zone = 'eu', region = key.region): KmsVault {
  return new KmsVault({ zone, keyArn: arnOf(key), region });
}

function multiRegionKey(): { readonly origin: Resource; readonly replica: Resource } {
  const origin = data.make('AWS::KMS::Key', { MultiRegion: true });
  const properties = { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn: arnOf(origin) };
  return { origin, replica: data.make('AWS::KMS::ReplicaKey', properties, AWAY) };
}

/** What a refusal tells, the log included, and that the key's text isn't in it. */
async function refusalOf(call: Promise<unknown>): Promise<Problem> {
  const problem = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(problem instanceof Problem)) throw new Error('no refusal', { cause: problem });
  const told = `${problem.message} ${String(problem.cause)} ${JSON.stringify(problem)}`;
  for (const form of [TEXT, Buffer.from(TEXT).toString('base64')]) expect(told).not.toContain(form);
  return problem;
}

test('a text comes back, and none of it is in its ciphertext', async () => {
  const vault = vaultOf(multiRegionKey().origin);
  const ciphertext = await vault.encrypt(TEXT, CONTEXT);
  expect(Buffer.from(ciphertext).includes(TEXT)).toBe(false);
  expect(await vault.decrypt(ciphertext, CONTEXT)).toBe(TEXT);
});

test('KMS is told the zone under the name that the tasks’ permission asks for', async () => {
  const { origin } = multiRegionKey();
  const CiphertextBlob = await vaultOf(origin).encrypt(TEXT, CONTEXT);
  const kms = new KMSClient({ region: HOME.region });
  const EncryptionContext = { zone: 'eu', workspaceId: 'ws_1', keyId: 'key_1' };
  const { Plaintext: text } = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
  expect(Buffer.from(text ?? []).toString()).toBe(TEXT);
});

test('what one region’s copy of the key encrypted, another region’s decrypts', async () => {
  const { origin, replica } = multiRegionKey();
  const [there, here] = [vaultOf(origin), vaultOf(replica)];
  expect(await here.decrypt(await there.encrypt(TEXT, CONTEXT), CONTEXT)).toBe(TEXT);
  expect(await there.decrypt(await here.encrypt(TEXT, CONTEXT), CONTEXT)).toBe(TEXT);
});

describe('a ciphertext isn’t read', () => {
  const READ = {
    code: 'precondition_failed',
    message: "The zone's vault can't read the text that was kept of this key.",
  };

  test.each([
    ['another key', 'eu', { ...CONTEXT, keyId: 'key_2' }],
    ['another workspace', 'eu', { ...CONTEXT, workspaceId: 'ws_2' }],
    ['another zone', 'us', CONTEXT],
  ])('for %s', async (_, zone, context) => {
    const { origin } = multiRegionKey();
    const ciphertext = await vaultOf(origin).encrypt(TEXT, CONTEXT);
    const problem = await refusalOf(vaultOf(origin, zone).decrypt(ciphertext, context));
    expect(problem).toMatchObject(READ);
    expect(String(problem.cause)).toContain(`KMS Decrypt with ${arnOf(origin)}: InvalidCiphertextException`);
  });

  test('when it was changed', async () => {
    const vault = vaultOf(multiRegionKey().origin);
    const ciphertext = await vault.encrypt(TEXT, CONTEXT);
    ciphertext[ciphertext.length - 1] = (ciphertext.at(-1) ?? 0) ^ 1;
    expect(await refusalOf(vault.decrypt(ciphertext, CONTEXT))).toMatchObject(READ);
  });

  test('by another key, though it may be used', async () => {
    const ciphertext = await vaultOf(multiRegionKey().origin).encrypt(TEXT, CONTEXT);
    const problem = await refusalOf(vaultOf(multiRegionKey().origin).decrypt(ciphertext, CONTEXT));
    expect(problem).toMatchObject(READ);
    expect(String(problem.cause)).toContain('IncorrectKeyException');
  });
});

test.each([
  [
    'disabled',
    'DisabledException',
    (key: Resource) => (key.properties = { ...key.properties, Enabled: false }),
  ],
  ['on its way to deletion', 'KMSInvalidStateException', (key: Resource) => data.remove(key)],
])('a key that is %s has to be brought back first', async (_, name, change) => {
  const { replica } = multiRegionKey();
  const vault = vaultOf(replica);
  const ciphertext = await vault.encrypt(TEXT, CONTEXT);
  change(replica);
  for (const call of [vault.encrypt(TEXT, CONTEXT), vault.decrypt(ciphertext, CONTEXT)]) {
    const problem = await refusalOf(call);
    expect(problem.code).toBe('precondition_failed');
    expect(String(problem.cause)).toContain(name);
  }
});

test('a key of another region isn’t there', async () => {
  const { origin } = multiRegionKey();
  const problem = await refusalOf(vaultOf(origin, 'eu', AWAY.region).encrypt(TEXT, CONTEXT));
  expect(problem.code).toBe('precondition_failed');
  expect(String(problem.cause)).toContain('NotFoundException');
});

describe('KMS doesn’t answer as it should', () => {
  const key = 'arn:aws:kms:eu-west-3:222222222222:key/mrk-1';

  async function vaultAt(answer: RequestListener, timeoutMs = 5000): Promise<KmsVault> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    // It listens on a port.
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    return new KmsVault({ zone: 'eu', keyArn: key, region: 'eu-west-3', endpoint, timeoutMs });
  }

  const UNAVAILABLE = { code: 'vault_unavailable', retryAfterS: 1 };

  test('it is waited for as long as is set, and no longer', async () => {
    const vault = await vaultAt(() => {}, SHORT_MS);
    const problem = await refusalOf(vault.encrypt(TEXT, CONTEXT));
    expect(problem).toMatchObject(UNAVAILABLE);
    expect(String(problem.cause)).toContain(`no answer within ${SHORT_MS} ms`);
  });

  test('nobody listens there', async () => {
    const vault = new KmsVault({
      zone: 'eu',
      keyArn: key,
      region: 'eu-west-3',
      endpoint: 'http://127.0.0.1:1',
    });
    expect(await refusalOf(vault.encrypt(TEXT, CONTEXT))).toMatchObject(UNAVAILABLE);
  });

  test.each([
    ['ThrottlingException', 400],
    ['KMSInternalException', 500],
    ['AccessDeniedException', 400],
  ])('%s is said to the log, and asked about once more at most', async (name, status) => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '9');
    let asked = 0;
    const vault = await vaultAt((_, response) => {
      asked += 1;
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: name, message: 'as KMS says it' }));
    });
    const problem = await refusalOf(vault.decrypt(new Uint8Array([1]), CONTEXT));
    expect(problem).toMatchObject(UNAVAILABLE);
    expect(String(problem.cause)).toContain(`${name}: as KMS says it`);
    expect(asked).toBe(name === 'AccessDeniedException' ? 1 : 2);
  });

  test.each([
    ['nothing of what was asked for', '{}'],
    ['a text that is cut, which a parser would quote', `{"Plaintext": "${TEXT}`],
    ['no JSON at all', TEXT],
  ])('an answer with %s isn’t taken, nor told on', async (_, body) => {
    const vault = await vaultAt((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(body);
    });
    expect(await refusalOf(vault.decrypt(new Uint8Array([1]), CONTEXT))).toMatchObject(UNAVAILABLE);
  });
});
