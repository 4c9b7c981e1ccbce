import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient, ReplicateKeyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { KmsVault } from '../../service/vault/kms-vault.ts';
import { EMULATORS } from './emulators.ts';
import { Server } from './server.ts';

/** The vault of recoverable keys against a KMS that knows nothing of this repository. */
const [HOME, AWAY] = ['eu-central-1', 'eu-west-3'] as const;
const CONTEXT = { workspaceId: 'ws_1', keyId: 'key_1' };
/** moto reads no ciphertext of a multi-Region key, not even where it was made: it cuts the key's id. */
const MULTI_REGION: Readonly<Record<string, boolean>> = { moto: false, ministack: true };

const folder = mkdtempSync(join(tmpdir(), 'keyhearth-vault-emulator-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  // Any: nobody checks them.
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'test');
  return () => vi.unstubAllEnvs();
});

describe.each(EMULATORS)('$name', ({ name, variable, server: optionsOf }) => {
  const hasCopies = MULTI_REGION[name] === true;
  let server: Server;
  let endpoint: string;

  beforeAll(async () => {
    const program = process.env[variable];
    if (program === undefined) throw new Error(`${variable} is missing: run .ci/emulators.sh`);
    server = await Server.start(optionsOf(program, join(folder, name)));
    endpoint = `http://127.0.0.1:${server.port}`;
  });
  afterAll(() => server.stop());

  const kms = (region: string): KMSClient => new KMSClient({ region, endpoint });

  async function makeKey(): Promise<(region: string, zone?: string) => KmsVault> {
    const { KeyMetadata: key } = await kms(HOME).send(new CreateKeyCommand({ MultiRegion: hasCopies }));
    const { Arn: arn = '', KeyId } = key ?? {};
    if (hasCopies) await kms(HOME).send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: AWAY }));
    return (region, zone = 'eu') =>
      new KmsVault({ zone, region, endpoint, keyArn: arn.replace(HOME, region) });
  }

  test('a text comes back, from another region’s copy of the key too', async () => {
    const vaultOf = await makeKey();
    const ciphertext = await vaultOf(HOME).encrypt('kh_1', CONTEXT);
    for (const region of hasCopies ? [HOME, AWAY] : [HOME]) {
      expect(await vaultOf(region).decrypt(ciphertext, CONTEXT)).toBe('kh_1');
    }
  });

  test('a ciphertext isn’t read for another key, nor for another zone', async () => {
    const vaultOf = await makeKey();
    const ciphertext = await vaultOf(HOME).encrypt('kh_1', CONTEXT);
    const refused = { code: 'precondition_failed' };
    for (const [zone, keyId] of [
      ['eu', 'key_2'],
      ['us', 'key_1'],
    ] as const) {
      await expect(vaultOf(HOME, zone).decrypt(ciphertext, { ...CONTEXT, keyId })).rejects.toMatchObject(
        refused,
      );
    }
  });
});
