import { expect, test } from 'vitest';
import { asWorkspaceId, buildKeyRow } from '../../test/records.ts';
import { FOREIGN_KEY, KEY, makeVerifySide, ROOT_KEY, type VerifySide } from '../../test/verify-side.ts';
import type { NamespaceId } from '../domain/brands.ts';
import { importedHashOf, namespaceHash } from '../domain/held-under.ts';
import type { StalenessMode } from './finder.ts';

const REQUEST = { key: KEY, permissions: undefined, clientAddress: () => '192.0.2.1' };

/** Key and root key are hot. */
async function setUp(mode: StalenessMode): Promise<VerifySide> {
  const side = makeVerifySide(mode);
  await side.verifier.verify(await side.authenticator.authenticate(ROOT_KEY), REQUEST);
  side.source.asked.length = 0;
  return side;
}

test('with a hot record and a current view the verdict comes synchronously, and nothing is asked', async () => {
  const { source, home, verifier, authenticator } = await setUp('serve');
  const principal = authenticator.authenticate(ROOT_KEY);
  if (principal instanceof Promise) throw new Error('authentication waited');
  expect(verifier.verify(principal, REQUEST)).toMatchObject({
    code: 'VALID',
    staleMs: null,
    unverified: false,
  });
  expect([source.asked, home.asked]).toEqual([[], []]);
});

test('a text with a wrong checksum is refused without a look-up', async () => {
  const { source, verifier, authenticator } = await setUp('serve');
  const principal = await authenticator.authenticate(ROOT_KEY);
  const mistyped = `${KEY.slice(0, 3)}${KEY[3] === 'x' ? 'y' : 'x'}${KEY.slice(4)}`;
  expect(verifier.verify(principal, { ...REQUEST, key: mistyped })).toMatchObject({ code: 'NOT_FOUND' });
  expect(source.asked).toEqual([]);
});

test('a key or root key of another zone is told where it belongs', async () => {
  const { verifier, authenticator } = await setUp('serve');
  const principal = await authenticator.authenticate(ROOT_KEY);
  const refusal = { code: 'wrong_zone', message: expect.stringContaining('keys.eu.example.com') };
  expect(() => verifier.verify(principal, { ...REQUEST, key: FOREIGN_KEY })).toThrow(
    expect.objectContaining(refusal),
  );
  expect(() => authenticator.authenticate(FOREIGN_KEY)).toThrow(expect.objectContaining(refusal));
});

test('mode serve: beyond the limit answers go on from memory, flagged', async () => {
  const { freshness, verifier, authenticator, finder } = await setUp('serve');
  freshness.staleness = 5000;
  const principal = await authenticator.authenticate(ROOT_KEY);
  expect(verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID', staleMs: 5000 });
  expect(finder.counters.servedStale).toBeGreaterThan(0);
});

test('mode confirm: beyond the limit home is asked each time, and decides', async () => {
  const { freshness, home, verifier, authenticator } = await setUp('confirm');
  freshness.staleness = 5000;
  const principal = await authenticator.authenticate(ROOT_KEY);
  expect(await verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID' });
  home.keys.clear();
  expect(await verifier.verify(principal, REQUEST)).toMatchObject({ code: 'NOT_FOUND' });
  home.rootKeys.clear();
  await expect(authenticator.authenticate(ROOT_KEY)).rejects.toMatchObject({ code: 'root_key_not_found' });
  home.failure = new Error('home is gone');
  await expect(verifier.verify(principal, REQUEST)).rejects.toThrow('home is gone');
});

test('mode refuse: beyond the limit the answer is 503, and within it again a verdict', async () => {
  const { freshness, verifier, authenticator } = await setUp('refuse');
  const principal = await authenticator.authenticate(ROOT_KEY);
  freshness.staleness = 5000;
  await expect(verifier.verify(principal, REQUEST)).rejects.toMatchObject({ code: 'too_stale', status: 503 });
  freshness.staleness = 100;
  expect(verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID' });
});

test('after another region became home: serve answers from memory, flagged, unless the caller needs a verified record', async () => {
  const { cache, source, verifier, authenticator } = await setUp('serve');
  const principal = await authenticator.authenticate(ROOT_KEY);
  source.keys.clear();
  cache.onEpoch();
  expect(verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID', unverified: true });
  expect(await verifier.verify(principal, REQUEST, 'verified')).toMatchObject({ code: 'NOT_FOUND' });
});

test.each(['confirm', 'refuse'] as const)(
  'after another region became home: %s reads the record again first',
  async (mode) => {
    const { cache, source, verifier, authenticator } = await setUp(mode);
    const principal = await authenticator.authenticate(ROOT_KEY);
    source.keys.clear();
    cache.onEpoch();
    expect(await verifier.verify(principal, REQUEST)).toMatchObject({ code: 'NOT_FOUND' });
  },
);

test('mode confirm: an imported key is looked for at home in every way that it may be held, in one read', async () => {
  const { freshness, home, verifier, authenticator } = await setUp('confirm');
  const principal = await authenticator.authenticate(ROOT_KEY);
  freshness.staleness = 5000;
  const hash = importedHashOf('ws_1', 'prefixedApiKey', 'm', 'acme_secret');
  home.putKey(buildKeyRow(hash ?? ''));
  const request = { ...REQUEST, key: 'acme_secret' };
  expect(await verifier.verify(principal, request)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await verifier.verify(principal, { ...request, migrationId: 'm' })).toMatchObject({ code: 'VALID' });
  home.asked.length = 0;
  await verifier.verify(principal, { ...REQUEST, migrationId: 'm' });
  expect(home.asked.map((hashes) => hashes.length)).toEqual([2]);
});

test.each(['serve', 'confirm', 'refuse'] as const)(
  'mode %s: namespaces follow the same rule',
  async (mode) => {
    const { cache, finder, freshness, home, source } = await setUp(mode);
    const hash = namespaceHash('ws_1', 'emails');
    const row = {
      hash,
      namespaceId: 'rlns_1' as NamespaceId,
      workspaceId: asWorkspaceId('ws_1'),
      name: 'emails',
      deleted: false,
      overrides: [],
    };
    for (const one of [source, home]) one.namespaces.set(hash, row);
    expect(await finder.findNamespace(hash)).toMatchObject({ row });
    expect(finder.findNamespace(hash)).not.toBeInstanceOf(Promise);
    home.namespaces.clear();
    freshness.staleness = 5000;
    if (mode === 'refuse')
      await expect(finder.findNamespace(hash)).rejects.toMatchObject({ code: 'too_stale' });
    else expect((await finder.findNamespace(hash)) === null).toBe(mode === 'confirm');
    freshness.staleness = 0;
    source.namespaces.clear();
    cache.onEpoch();
    expect((await finder.findNamespace(hash)) === null).toBe(mode !== 'serve');
    expect(await finder.findNamespace(hash, 'verified')).toBeNull();
  },
);
