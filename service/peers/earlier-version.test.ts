import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { PEER_SECRET } from '../../test/http/app-deps.ts';
import { FallbackSource } from '../cache/fallback-source.ts';
import type { KeyHash } from '../domain/brands.ts';
import { NO_FLOOR } from '../domain/feed.ts';
import { Problem } from '../domain/problem.ts';
import { problemText } from '../http/answers.ts';
import { homeSourceOf, readersOf } from '../record-sources.ts';
import type { RecordSource } from '../verify/ports.ts';
import { createPeers, type PeersClient } from './client.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

// A hash gets its brand where it is read.
const HASH = 'a'.repeat(64) as KeyHash;
const CREDITS = { kind: 'credits', id: 'ca_1' } as const;

const WORKSPACE = { kind: 'workspace', id: 'ws_1', enabled: true };
const API = { kind: 'api', id: 'api_1', workspaceId: 'ws_1', name: 'payments', ipAllowlist: [] };
const IDENTITY = { kind: 'identity', id: 'id_1', externalId: 'user', meta: null };
const ROW = {
  hash: HASH,
  keyId: 'key_1',
  workspaceId: 'ws_1',
  apiId: 'api_1',
  identityId: 'id_1',
  name: null,
  meta: null,
  enabled: true,
  expiresAtMs: null,
  roleIds: [],
  permissionIds: [],
};

/** A read as this version writes it; each part can be had as a version wrote it that knew neither limits nor credits. */
function readOf(isEarlier: {
  root?: boolean;
  row?: boolean;
  workspace?: boolean;
  identity?: boolean;
}): string {
  const row = isEarlier.row === true ? ROW : { ...ROW, ratelimits: [], creditAccountId: null };
  const workspace = isEarlier.workspace === true ? WORKSPACE : { ...WORKSPACE, rateLimit: null };
  const identity = isEarlier.identity === true ? IDENTITY : { ...IDENTITY, ratelimits: [] };
  const keys = [[HASH, { row, shared: [workspace, API, identity] }]];
  return JSON.stringify({
    keys,
    rootKeys: [],
    ...(isEarlier.root === true ? {} : { namespaces: [] }),
  });
}

const PRESENT = readOf({});
const EARLIER: readonly [what: string, records: string][] = [
  ['all of it', readOf({ root: true, row: true, workspace: true, identity: true })],
  ['no namespaces', readOf({ root: true })],
  ['no limits and no account of a key', readOf({ row: true })],
  ['no limit of a workspace', readOf({ workspace: true })],
  ['no limits of an identity', readOf({ identity: true })],
];

interface Answering {
  readonly records: string;
  /** @default 200 */
  readonly status?: number;
  /** Undefined: an object of this kind isn't known, as the earlier version answers. */
  readonly shared?: string;
}

async function start({ records, status = 200, shared }: Answering): Promise<string> {
  const unread = new Problem('invalid_input', 'The body of a private call is not what this version reads.');
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const isKnown = request.url === '/internal/records' || shared !== undefined;
      response.writeHead(isKnown ? status : 400, { 'content-type': 'application/json' });
      if (request.url === '/internal/records') response.end(records);
      else response.end(shared ?? problemText(unread, 'req_1'));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  // A listening TCP server has an address with a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function peersTo(regions: Readonly<Record<string, Answering>>): Promise<PeersClient> {
  const urls = new Map<string, string>();
  for (const [region, answering] of Object.entries(regions)) urls.set(region, await start(answering));
  const peers = createPeers({
    region: 'eu-west-1',
    urls,
    secret: PEER_SECRET,
    nowMs: () => Date.now(),
    nonce: () => crypto.randomUUID(),
  });
  cleanups.push(() => peers.close());
  return peers;
}

const lost: RecordSource = {
  readRecords: () => Promise.reject(new Error('the reader is lost')),
  readShared: () => Promise.reject(new Error('the reader is lost')),
};

function sourcesOf(peers: PeersClient): { home: RecordSource; all: FallbackSource } {
  const at = { at: 'elsewhere', epoch: { counter: 1, id: 'abcd1234' }, region: 'us-east-1' } as const;
  const home = homeSourceOf(() => at, lost, peers);
  const all = new FallbackSource({
    own: () => lost,
    ownAnswers: () => true,
    home,
    others: readersOf(peers),
    onFallback: () => {},
  });
  return { home, all };
}

test.each(EARLIER)(
  'home writes as an earlier version, %s: another region is read instead',
  async (_what, records) => {
    const present = {
      records: PRESENT,
      shared: '{"objects":[{"kind":"credits","id":"ca_1","generation":1,"free":3}]}',
    };
    const peers = await peersTo({ 'us-east-1': { records }, 'eu-central-1': present });
    const { home, all } = sourcesOf(peers);
    await expect(home.readRecords([HASH])).rejects.toMatchObject({ code: 'no_home', retryAfterS: 1 });
    await expect(home.readShared([CREDITS])).rejects.toMatchObject({ code: 'no_home', retryAfterS: 1 });
    expect((await all.readRecords([HASH], NO_FLOOR)).keys.get(HASH)?.row.keyId).toBe('key_1');
    expect(await all.readShared([CREDITS], NO_FLOOR)).toMatchObject([{ id: 'ca_1', free: 3 }]);
  },
);

test('where every other region writes as an earlier version, a read is refused as one that can be repeated', async () => {
  const earlier = { records: readOf({ row: true }) };
  const { all } = sourcesOf(await peersTo({ 'us-east-1': earlier, 'eu-central-1': earlier }));
  const refusal = { code: 'database_unavailable', status: 503, retryAfterS: 1 };
  await expect(all.readRecords([HASH])).rejects.toMatchObject(refusal);
  await expect(all.readShared([CREDITS])).rejects.toMatchObject(refusal);
});

test('home’s refusal of a revision that it hasn’t is told apart from a home that can’t be asked', async () => {
  const refused = new Problem('revision_not_reached', 'It doesn’t show the revision.');
  const records = problemText(refused, 'req_1');
  const peers = await peersTo({ 'us-east-1': { records, status: refused.status } });
  await expect(sourcesOf(peers).home.readRecords([HASH])).rejects.toMatchObject({
    code: 'revision_not_reached',
    message: 'It doesn’t show the revision.',
  });
});
