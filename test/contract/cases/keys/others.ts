import { hash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { importedKey, limitOf } from '../expected.ts';

/** Credits, rerolling, importing, and what a key is given. */
export function keyCases(target: TargetOf): void {
  describe.concurrent('keys.updateCredits', () => {
    test('sets, adds and takes, and says what is left', async () => {
      const workspace = await target().workspace();
      const refill = { interval: 'daily', amount: 9 };
      const { keyId } = await workspace.createKey({ credits: { remaining: 5, refill } });
      const after = async (operation: string, value: unknown) =>
        await workspace.must('keys.updateCredits', { keyId, operation, value });
      expect(await after('increment', 10)).toEqual({ remaining: 15, refill });
      expect(await after('decrement', 3)).toEqual({ remaining: 12, refill });
      expect(await after('decrement', 100)).toMatchObject({ remaining: 0 });
      expect(await after('set', 7)).toEqual({ remaining: 7, refill });
      expect(await after('set', null)).toEqual({ remaining: null });
      expect(await after('set', 1)).toEqual({ remaining: 1 });
    });

    test('refuses to add to, or take from, unlimited credits', async () => {
      const workspace = await target().workspace();
      const { keyId } = await workspace.createKey();
      for (const operation of ['increment', 'decrement']) {
        for (const body of [{ value: 1 }, { value: null }, {}])
          expect((await workspace.call('keys.updateCredits', { keyId, operation, ...body })).status).toBe(
            400,
          );
      }
    });

    test('adds up whatever is added at once', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 0 } });
      const add = { keyId: key.keyId, operation: 'increment', value: 3 };
      await Promise.all(
        Array.from({ length: 8 }, async () => await workspace.must('keys.updateCredits', add)),
      );
      expect((await workspace.getKey(key))['credits']).toEqual({ remaining: 24 });
    });
  });

  describe.concurrent('keys.rerollKey', () => {
    test('makes a key like the old one, which goes on for as long as was asked', async () => {
      const workspace = await target().workspace();
      const old = await workspace.createKey({
        prefix: 'reroll',
        byteLength: 32,
        name: 'rolled',
        externalId: 'user',
        meta: { team: 'a' },
        permissions: ['docs.read'],
        ratelimits: [limitOf('calls', 5)],
      });
      const nowMs = Date.now();
      const made = await workspace.must('keys.rerollKey', { keyId: old.keyId, expiration: 60_000 });
      const next = { keyId: String(made['keyId']), key: String(made['key']) };
      expect(next.key).toMatch(/^reroll_/);
      expect(next.keyId).not.toBe(old.keyId);
      const same = { name: 'rolled', meta: { team: 'a' }, permissions: ['docs.read'] };
      expect(await workspace.getKey(next)).toMatchObject({ ...same, identity: { externalId: 'user' } });
      expect(await workspace.verify(next)).toMatchObject({ ...same, code: 'VALID' });
      const { expires, ...rest } = await workspace.verify(old);
      expect(rest).toMatchObject({ ...same, code: 'VALID' });
      expect(Math.abs(Number(expires) - (nowMs + 60_000))).toBeLessThan(10_000);
    });

    test('never lets the old key end later than it would have', async () => {
      const workspace = await target().workspace();
      const expires = Date.now() + 60_000;
      const old = await workspace.createKey({ expires });
      await workspace.must('keys.rerollKey', { keyId: old.keyId, expiration: 3_600_000 });
      expect((await workspace.getKey(old))['expires']).toBe(expires);
    });

    test('ends the old key in every region at once with an expiration of 0', async () => {
      const workspace = await target().workspace();
      const { urls } = target();
      const all = [urls.home, urls.any, ...(urls.replica === null ? [] : [urls.replica])];
      const old = await workspace.createKey();
      const codeAt = async (url: string): Promise<unknown> =>
        (await workspace.verify(old, {}, { ...workspace.seen, url }))['code'];
      for (const url of all) expect(await codeAt(url)).toBe('VALID');
      const made = await workspace.must('keys.rerollKey', { keyId: old.keyId, expiration: 0 });
      // One that is asked for what was answered, as here, never answers what was before.
      for (const url of all) expect(await codeAt(url)).toBe('EXPIRED');
      expect(await workspace.verify({ key: String(made['key']) })).toMatchObject({ code: 'VALID' });
    });
  });

  describe.concurrent('keys.migrateKeys', () => {
    test('imports what is new, and names what is there already', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const [one, two, three] = [importedKey(), importedKey(), importedKey()];
      const migrate = async (...hashes: readonly string[]) =>
        await workspace.must('keys.migrateKeys', {
          migrationId: 'legacy',
          apiId,
          keys: hashes.map((sent) => ({ hash: sent, externalId: 'user', permissions: ['docs.read'] })),
        });
      const first = await migrate(one.hash, two.hash, one.hash);
      expect(first).toMatchObject({ migrated: [{ hash: one.hash }, { hash: two.hash }], failed: [one.hash] });
      expect(await migrate(two.hash, three.hash)).toMatchObject({
        migrated: [{ hash: three.hash }],
        failed: [two.hash],
      });
      for (const { text } of [one, two, three]) {
        const answer = await workspace.verify(
          { key: text },
          { migrationId: 'legacy', permissions: 'docs.read' },
        );
        expect(answer).toMatchObject({ code: 'VALID', identity: { externalId: 'user' } });
      }
    });

    test('imports hashes of what follows the prefix, as hex or base64', async () => {
      const workspace = await target().workspace();
      const secret = randomBytes(16).toString('hex');
      const digest = hash('sha256', secret, 'buffer');
      const input = { migrationId: 'prefixed', apiId: await workspace.apiId() };
      const sent = `prefixedApiKey:${digest.toString('base64')}`;
      const first = { ...input, keys: [{ hash: sent }] };
      expect(await workspace.must('keys.migrateKeys', first)).toMatchObject({ migrated: [{ hash: sent }] });
      const second = { ...input, keys: [{ hash: `prefixedApiKey:${digest.toString('hex')}` }] };
      expect(await workspace.must('keys.migrateKeys', second)).toMatchObject({ migrated: [] });
      const asked = { migrationId: 'prefixed' };
      for (const prefix of ['pk_', 'pk_live_'])
        expect(await workspace.verify({ key: prefix + secret }, asked)).toMatchObject({ code: 'VALID' });
      for (const text of [secret, `pk_${secret}x`])
        expect(await workspace.verify({ key: text }, asked)).toEqual({ valid: false, code: 'NOT_FOUND' });
    });

    test('imports again what was deleted', async () => {
      const workspace = await target().workspace();
      const { text, hash: sent } = importedKey();
      const input = { migrationId: 'again', apiId: await workspace.apiId(), keys: [{ hash: sent }] };
      const migrated = async (): Promise<readonly { readonly keyId: string }[]> =>
        (await workspace.must('keys.migrateKeys', input))['migrated'] as { keyId: string }[];
      const [first] = await migrated();
      const asked = { migrationId: 'again' };
      expect(await workspace.verify({ key: text }, asked)).toMatchObject({ keyId: first?.keyId });
      await workspace.must('keys.deleteKey', { keyId: first?.keyId });
      expect(await workspace.verify({ key: text }, asked)).toMatchObject({ code: 'NOT_FOUND' });
      const [second] = await migrated();
      expect(await workspace.verify({ key: text }, asked)).toMatchObject({
        code: 'VALID',
        keyId: second?.keyId,
      });
    });

    test('imports thousands in one call', async () => {
      const workspace = await target().workspace();
      const keys = Array.from({ length: 2000 }, () => ({ hash: importedKey().hash }));
      const data = await workspace.must('keys.migrateKeys', {
        migrationId: 'many',
        apiId: await workspace.apiId(),
        keys,
      });
      expect(data['migrated']).toHaveLength(2000);
    });
  });

  describe.concurrent('what a key is given', () => {
    test('permissions are added, set and removed, and each answer is what it has then', async () => {
      const workspace = await target().workspace();
      const { keyId } = await workspace.createKey({ permissions: ['b'] });
      const slugs = async (verb: string, permissions: readonly string[]): Promise<unknown> => {
        const data = (await workspace.must(`keys.${verb}Permissions`, { keyId, permissions })) as unknown;
        return (data as { slug: string }[]).map(({ slug }) => slug);
      };
      expect(await slugs('add', ['a', 'c', 'a'])).toEqual(['a', 'b', 'c']);
      expect(await slugs('remove', ['b'])).toEqual(['a', 'c']);
      expect(await slugs('set', ['d', 'a'])).toEqual(['a', 'd']);
      expect(await slugs('set', [])).toEqual([]);
    });

    test('roles are added, set and removed; one that there is not is refused, and changes nothing', async () => {
      const workspace = await target().workspace();
      for (const name of ['a', 'b', 'c']) await workspace.must('permissions.createRole', { name });
      const { keyId } = await workspace.createKey({ roles: ['b'] });
      const names = async (verb: string, roles: readonly string[]): Promise<unknown> => {
        const data = (await workspace.must(`keys.${verb}Roles`, { keyId, roles })) as unknown;
        return (data as { name: string }[]).map(({ name }) => name);
      };
      expect(await names('add', ['a'])).toEqual(['a', 'b']);
      expect(await names('remove', ['b'])).toEqual(['a']);
      for (const verb of ['add', 'set']) {
        const refused = await workspace.call(`keys.${verb}Roles`, { keyId, roles: ['c', 'none'] });
        expect([refused.status, refused.error.type]).toEqual([404, expect.stringMatching(/role_not_found$/)]);
      }
      expect(await names('set', ['c', 'a'])).toEqual(['a', 'c']);
      expect(await names('set', [])).toEqual([]);
    });
  });
}
