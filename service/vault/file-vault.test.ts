import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileVault } from './file-vault.ts';

const CONTEXT = { workspaceId: 'ws_1', keyId: 'key_1' };
const secret = (byte: number) => createSecretKey(Buffer.alloc(32, byte));

function vaultOf(current: string, ids: Readonly<Record<string, number>>, zone = 'eu'): FileVault {
  const keys = new Map(Object.entries(ids).map(([id, byte]) => [id, secret(byte)]));
  return new FileVault({ zone, keyFile: { current, keys } });
}

const vault = vaultOf('one', { one: 1 });

/** The log is told why; the caller only that it can't be read. */
async function expectUnreadable(reading: Promise<string>, why = ''): Promise<void> {
  await expect(reading).rejects.toMatchObject({
    code: 'precondition_failed',
    message: "The zone's vault can't read the text that was kept of this key.",
    cause: { message: expect.stringContaining(why) as string },
  });
}

test('any text comes back, and none shows in its ciphertext', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 600 });
  await fc.assert(
    fc.asyncProperty(text, fc.string(), fc.string(), async (given, workspaceId, keyId) => {
      const context = { workspaceId, keyId };
      const ciphertext = await vault.encrypt(given, context);
      expect(await vault.decrypt(ciphertext, context)).toBe(given);
      if (given.length > 4) expect(Buffer.from(ciphertext).includes(given)).toBe(false);
    }),
  );
});

test('the same text is another ciphertext each time', async () => {
  const made = await Promise.all(Array.from({ length: 50 }, () => vault.encrypt('kh_1', CONTEXT)));
  expect(new Set(made.map((each) => Buffer.from(each).toString('hex'))).size).toBe(50);
});

test.each([
  ['another key', vault, { ...CONTEXT, keyId: 'key_2' }],
  ['another workspace', vault, { ...CONTEXT, workspaceId: 'ws_2' }],
  ['parts that are the same only when put together', vault, { workspaceId: 'ws_1key_', keyId: '1' }],
  ['another zone', vaultOf('one', { one: 1 }, 'us'), CONTEXT],
  ['other key material under the same id', vaultOf('one', { one: 2 }), CONTEXT],
])('a ciphertext isn’t read for %s', async (_, reader, context) => {
  const ciphertext = await vault.encrypt('kh_1', CONTEXT);
  await expectUnreadable(reader.decrypt(ciphertext, context), 'it was changed, or belongs to another key');
});

test('a ciphertext that was changed in any of its bytes, or cut, isn’t read', async () => {
  const ciphertext = await vault.encrypt('kh_1', CONTEXT);
  for (const at of ciphertext.keys()) {
    const changed = Uint8Array.from(ciphertext);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await expectUnreadable(vault.decrypt(changed, CONTEXT));
    await expectUnreadable(vault.decrypt(ciphertext.subarray(0, at), CONTEXT));
  }
});

test('after a rotation new texts get the new key, and the old ones are still read', async () => {
  const rotated = vaultOf('two', { one: 1, two: 2 });
  const before = await vault.encrypt('before', CONTEXT);
  const after = await rotated.encrypt('after', CONTEXT);
  expect(await rotated.decrypt(before, CONTEXT)).toBe('before');
  expect(await rotated.decrypt(after, CONTEXT)).toBe('after');
  await expectUnreadable(vault.decrypt(after, CONTEXT), 'the key file has no key two');
});

test('two keys whose ids were exchanged read nothing of each other', async () => {
  const exchanged = vaultOf('one', { one: 2, two: 1 });
  await expectUnreadable(exchanged.decrypt(await vault.encrypt('kh_1', CONTEXT), CONTEXT));
});
