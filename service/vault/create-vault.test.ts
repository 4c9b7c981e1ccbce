import { expect, test } from 'vitest';
import { createVault } from './create-vault.ts';
import { KmsVault } from './kms-vault.ts';
import { parseVaultSetting } from './setting.ts';

const KEY_ARN = 'arn:aws:kms:eu-west-3:222222222222:key/mrk-0123456789abcdef0123456789abcdef';

test('a file’s path and a key’s ARN are settings', () => {
  expect(parseVaultSetting('file:/etc/keyhearth/vault.json')).toEqual({
    kind: 'file',
    path: '/etc/keyhearth/vault.json',
  });
  expect(parseVaultSetting(`kms:${KEY_ARN}`)).toEqual({ kind: 'kms', keyArn: KEY_ARN, region: 'eu-west-3' });
});

test.each([
  'file:',
  'file:vault.json',
  '/etc/keyhearth/vault.json',
  'kms:',
  'kms:mrk-0123456789abcdef0123456789abcdef',
  'kms:arn:aws:kms:eu-west-3:222222222222:alias/recoverable',
  KEY_ARN,
  `kms:${KEY_ARN}\n`,
])('%j is none, and the sentence says what is', (text) => {
  expect(() => parseVaultSetting(text)).toThrow(
    'must be file:<absolute path of a key file>, or kms:<ARN of a key>',
  );
});

test('without a vault both calls are refused, with the setting that would give one', async () => {
  const vault = createVault({ kind: 'none' }, { zone: 'eu' });
  const context = { workspaceId: 'ws_1', keyId: 'key_1' };
  for (const call of [vault.encrypt('kh_1', context), vault.decrypt(new Uint8Array(), context)]) {
    await expect(call).rejects.toMatchObject({
      code: 'precondition_failed',
      message: expect.stringContaining('sets KEYHEARTH_VAULT to file:<path> or kms:<key ARN>') as string,
    });
  }
});

test('a vault of KMS is made without asking anybody', () => {
  expect(createVault(parseVaultSetting(`kms:${KEY_ARN}`), { zone: 'eu' })).toBeInstanceOf(KmsVault);
});
