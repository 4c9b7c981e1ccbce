import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  APPLIED,
  AUTHORIZED,
  fakeManage,
  type ManageCall,
  PEER_SECRET,
  REVISION,
  REVISION_TEXT,
  testDeps,
} from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import type { KeyHash } from '../domain/brands.ts';
import type { RecordSource } from '../verify/ports.ts';
import type { ReadFrom } from './types.ts';
import { NO_FLOOR } from '../domain/feed.ts';
import { Problem } from '../domain/problem.ts';
import type { RecordReads, SharedObject } from '../domain/records.ts';
import type { TaskReport } from '../home/types.ts';
import type { HttpDeps } from '../http/deps.ts';
import { createPeers, type PeersClient, type PeersOptions } from './client.ts';
import { createPeerEndpoint, type PeerEndpointDeps } from './endpoint.ts';
import type { PassedRequest } from './types.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const HOME = 'us-east-1';
const signal = new AbortController().signal;

async function startApp(overrides: Partial<HttpDeps> = {}): Promise<string> {
  const app = buildApp(testDeps({ region: HOME, ...overrides }));
  cleanups.push(() => app.close());
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

function peersTo(url: string, options: Partial<PeersOptions> = {}): PeersClient {
  const peers = createPeers({
    region: 'eu-west-1',
    urls: new Map([[HOME, url]]),
    secret: PEER_SECRET,
    nowMs: () => Date.now(),
    nonce: () => crypto.randomUUID(),
    ...options,
  });
  cleanups.push(() => peers.close());
  return peers;
}

/** A server below HTTP, that does to each connection what the test says. */
async function startRaw(onConnection: (socket: Socket) => void): Promise<{ url: string; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((closed) => server.close(closed));
  });
  // A listening TCP server has an address with a port.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function refusedUrl(): Promise<string> {
  const { url, server } = await startRaw((socket) => socket.destroy());
  await new Promise((closed) => server.close(closed));
  return url;
}

async function refusalOf(
  promise: Promise<unknown>,
): Promise<{ code: string; retryAfterS: number | undefined }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error('a Problem was expected', { cause: error });
  return { code: error.code, retryAfterS: error.retryAfterS };
}

const WRITE: PassedRequest = {
  path: '/v2/apis.createApi',
  body: '{"name":"payments"}',
  headers: { ...AUTHORIZED, 'idempotency-key': 'retry-1', cookie: 'not passed on' },
  clientAddress: '203.0.113.9',
  requestId: 'req_of_the_edge',
  write: true,
};
const READ: PassedRequest = { ...WRITE, path: '/v2/apis.getApi', body: '{"apiId":"api_1"}', write: false };
const NO_HOME = { code: 'no_home', retryAfterS: 1 };
const UNKNOWN = { code: 'outcome_unknown', retryAfterS: undefined };

// Passing requests on

test('a request is passed on with credentials, client address and request id', async () => {
  const calls: ManageCall[] = [];
  const peers = peersTo(await startApp({ manage: fakeManage(calls) }));
  const answer = await peers.pass(HOME, WRITE);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'keyhearth-revision': REVISION_TEXT,
  });
  expect(JSON.parse(answer.body)).toEqual({
    meta: { requestId: 'req_of_the_edge' },
    data: { apiId: 'api_1' },
  });
  expect(calls).toMatchObject([
    {
      caller: {
        clientAddress: '203.0.113.9',
        requestId: 'req_of_the_edge',
        idempotency: { key: 'retry-1' },
      },
    },
  ]);
});

test('through two apps: written at home, answered by the replica once its own feed shows it', async () => {
  const calls: ManageCall[] = [];
  const homeUrl = await startApp({
    manage: fakeManage(calls),
    taskStatus: { wait: () => Promise.resolve(APPLIED) },
  });
  const waited: unknown[] = [];
  const edgeUrl = await startApp({
    region: 'eu-west-1',
    home: { current: () => ({ at: 'elsewhere', epoch: REVISION.epoch, region: HOME }) },
    peers: peersTo(homeUrl),
    waitForRevision: (revision) => {
      waited.push(revision);
      return Promise.resolve(true);
    },
  });
  const answer = await fetch(`${edgeUrl}/v2/keys.deleteKey`, {
    method: 'POST',
    headers: { ...AUTHORIZED, 'content-type': 'application/json' },
    body: '{"keyId":"key_1"}',
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('keyhearth-revision')).toBe(REVISION_TEXT);
  expect(answer.headers.get('keyhearth-revocation')).toBe('confirmed');
  expect(waited).toEqual([REVISION]);
  expect(calls).toHaveLength(1);
});

test('two apps that each take the other for the home do not pass a request in circles', async () => {
  let edgeUrl = '';
  const homeUrl = await startApp({
    home: { current: () => ({ at: 'elsewhere', epoch: REVISION.epoch, region: 'eu-west-1' }) },
    peers: { pass: (region, request) => peersTo(edgeUrl).pass(region, request) },
  });
  edgeUrl = await startApp({
    region: 'eu-west-1',
    home: { current: () => ({ at: 'elsewhere', epoch: REVISION.epoch, region: HOME }) },
    peers: peersTo(homeUrl),
  });
  const answer = await fetch(`${edgeUrl}/v2/apis.createApi`, {
    method: 'POST',
    headers: { ...AUTHORIZED, 'content-type': 'application/json' },
    body: '{"name":"payments"}',
  });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
});

test('a minimum revision goes with a read, for the home to judge', async () => {
  const peers = peersTo(await startApp());
  const asked = (revision: string) => ({
    ...READ,
    headers: { ...READ.headers, 'keyhearth-min-revision': revision },
  });
  expect((await peers.pass(HOME, asked(REVISION_TEXT))).status).toBe(200);
  expect((await peers.pass(HOME, asked('4.abcd1234.1'))).status).toBe(503);
});

test('a refusal of the home is an answer, not a failure', async () => {
  const manage = fakeManage([], {
    getApi: () => Promise.reject(new Problem('api_not_found', 'no such API')),
  });
  const peers = peersTo(await startApp({ manage }));
  expect((await peers.pass(HOME, READ)).status).toBe(404);
});

test('nobody listens: nothing was applied', async () => {
  const peers = peersTo(await refusedUrl());
  expect(await refusalOf(peers.pass(HOME, WRITE))).toEqual(NO_HOME);
  expect(await refusalOf(peers.pass(HOME, READ))).toEqual(NO_HOME);
  expect(await refusalOf(peers.state(HOME, signal))).toEqual(NO_HOME);
});

test('a region that is no peer: nothing was applied', async () => {
  const peers = peersTo(await refusedUrl());
  expect(await refusalOf(peers.pass('sa-east-1', WRITE))).toEqual(NO_HOME);
});

const LOSSES: readonly [what: string, onConnection: (socket: Socket) => void][] = [
  ['the connection breaks after the request', (socket) => socket.on('data', () => socket.destroy())],
  [
    'the connection is reset after the request',
    (socket) => socket.on('data', () => socket.resetAndDestroy()),
  ],
  [
    'the connection ends in the middle of the answer',
    (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"da')),
  ],
  ['the answer is no HTTP', (socket) => socket.on('data', () => socket.end('nonsense\r\n\r\n'))],
  ['no answer comes', (socket) => socket.resume()],
];

test.each(LOSSES)('%s: a write is unknown, a read can be repeated', async (_what, onConnection) => {
  const { url } = await startRaw(onConnection);
  const peers = peersTo(url, { passTimeoutMs: 500, readTimeoutMs: 500 });
  expect(await refusalOf(peers.pass(HOME, WRITE))).toEqual(UNKNOWN);
  expect(await refusalOf(peers.pass(HOME, READ))).toEqual(NO_HOME);
  expect(await refusalOf(peers.state(HOME, signal))).toEqual(NO_HOME);
});

test('a write that waited for a free connection until its time was over was not applied', async () => {
  let requests = 0;
  const { url } = await startRaw((socket) => socket.on('data', () => (requests += 1)));
  const peers = peersTo(url, { passTimeoutMs: 400 });
  const calls = 100;
  const refusals = await Promise.all(Array.from({ length: calls }, () => refusalOf(peers.pass(HOME, WRITE))));
  const unknown = refusals.filter(({ code }) => code === 'outcome_unknown').length;
  expect(refusals.filter(({ code }) => code === 'no_home')).toHaveLength(calls - unknown);
  // The pool has 32 connections; few of those that wait get one that became free as their time ran out. Whoever was told "not
  // applied" never got as far as the other side.
  expect(unknown).toBeLessThan(calls);
  expect(requests).toBeLessThanOrEqual(unknown);
});

test('a longer call gets its extra time', async () => {
  const { url } = await startRaw((socket) =>
    socket.on('data', () => {
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'), 120);
    }),
  );
  const peers = peersTo(url, { passTimeoutMs: 40 });
  expect(await refusalOf(peers.pass(HOME, READ))).toEqual(NO_HOME);
  expect((await peers.pass(HOME, { ...READ, extraTimeoutMs: 5000 })).status).toBe(200);
});

test('connections are kept between calls', async () => {
  let connections = 0;
  const { url } = await startRaw((socket) => {
    connections += 1;
    const body = '{"region":"us-east-1","taskId":"t","epoch":null,"homeRegion":null}';
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
  });
  const peers = peersTo(url);
  for (let call = 0; call < 8; call += 1) await peers.state(HOME, signal);
  // The pool opens a second one where a call follows before the first connection has settled.
  expect(connections).toBeLessThanOrEqual(2);
});

test('a peer that comes back is reached again', async () => {
  const { url, server } = await startRaw((socket) => socket.on('data', () => socket.destroy()));
  const { port } = server.address() as AddressInfo;
  const peers = peersTo(url);
  await new Promise((closed) => server.close(closed));
  expect(await refusalOf(peers.pass(HOME, WRITE))).toEqual(NO_HOME);
  const app = buildApp(testDeps({ region: HOME }));
  cleanups.push(() => app.close());
  await app.listen({ host: '127.0.0.1', port });
  expect((await peers.pass(HOME, WRITE)).status).toBe(200);
});

test('a call that is given up ends at once', async () => {
  const { url } = await startRaw((socket) => socket.resume());
  const peers = peersTo(url, { readTimeoutMs: 60_000 });
  expect(await refusalOf(peers.state(HOME, AbortSignal.abort()))).toEqual(NO_HOME);
  expect(await refusalOf(peers.state(HOME, AbortSignal.timeout(50)))).toEqual(NO_HOME);
});

/** What home reads from and what its reader shows: the same here. */
function both(source: RecordSource): Readonly<Record<ReadFrom, RecordSource>> {
  return { home: source, reader: source };
}

test.each([
  [503, NO_HOME],
  [502, UNKNOWN],
  [504, UNKNOWN],
])('a load balancer that answers with %d in place of a task', async (status, refusal) => {
  const html = `HTTP/1.1 ${status} x\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n<>`;
  const { url } = await startRaw((socket) => socket.on('data', () => socket.write(html)));
  const peers = peersTo(url);
  expect(await refusalOf(peers.pass(HOME, WRITE))).toEqual(refusal);
  expect(await refusalOf(peers.pass(HOME, READ))).toEqual(NO_HOME);
  expect(await refusalOf(peers.state(HOME, signal))).toEqual(NO_HOME);
});

// Private calls

async function privatePeers(overrides: Partial<PeerEndpointDeps>, options: Partial<PeersOptions> = {}) {
  const unasked = () => Promise.reject(new Error('not asked in this test'));
  const peerEndpoint = createPeerEndpoint({
    state: () => ({ region: HOME, taskId: 'task_1', epoch: null, homeRegion: null }),
    taskStatus: { register: unasked, report: unasked, stopped: unasked },
    records: both({ readRecords: unasked, readShared: unasked }),
    ledger: { draw: unasked, settle: unasked },
    ...overrides,
  });
  return peersTo(await startApp({ peerEndpoint }), options);
}

test('state', async () => {
  const state = { region: HOME, taskId: 'task_1', epoch: REVISION.epoch, homeRegion: HOME };
  const peers = await privatePeers({ state: () => state });
  expect(await peers.state(HOME, signal)).toEqual(state);
  expect(peers.regions).toEqual([HOME]);
});

test('report, stopped and register', async () => {
  const heard: unknown[] = [];
  const note = (value: unknown): Promise<void> => {
    heard.push(value);
    return Promise.resolve();
  };
  const floor = { epoch: REVISION.epoch, xid: 9_007_199_254_740_995n };
  const register = async (value: unknown) => {
    await note(value);
    return floor;
  };
  const peers = await privatePeers({ taskStatus: { register, report: note, stopped: note } });
  const report: TaskReport = {
    taskId: 'task_2',
    region: 'eu-west-1',
    slot: 'a',
    epoch: REVISION.epoch,
    watermark: 9_007_199_254_740_993n,
    appliedXids: [9_007_199_254_740_994n],
    stalenessMs: 120,
    cutOffAfterMs: null,
  };
  await peers.report(HOME, report, signal);
  await peers.stopped(HOME, 'task_2');
  expect(await peers.register(HOME, report, signal)).toStrictEqual(floor);
  expect(heard).toStrictEqual([report, 'task_2', report]);
});

test('records and shared objects', async () => {
  // Values of a database row get their brands where they are read; these stand for such rows.
  const hash = 'a'.repeat(64) as KeyHash;
  const shared = { kind: 'workspace', id: 'ws_1', enabled: true, rateLimit: null } as SharedObject;
  const reads = {
    keys: new Map(),
    rootKeys: new Map([
      [
        hash,
        {
          row: {
            hash,
            rootKeyId: 'rk_1',
            workspaceId: 'ws_1',
            enabled: true,
            expiresAtMs: null,
            permissions: ['a'],
          },
          shared: [shared],
        },
      ],
    ]),
    namespaces: new Map(),
  } as unknown as RecordReads;
  const asked: unknown[] = [];
  const peers = await privatePeers({
    records: both({
      readRecords: (hashes) => {
        asked.push(hashes);
        return Promise.resolve(reads);
      },
      readShared: (refs) => {
        asked.push(refs);
        return Promise.resolve([shared]);
      },
    }),
  });
  expect(await peers.readRecords(HOME, [hash], NO_FLOOR, 'home')).toStrictEqual(reads);
  expect(await peers.readShared(HOME, [{ kind: 'workspace', id: 'ws_1' }], NO_FLOOR, 'home')).toStrictEqual([
    shared,
  ]);
  expect(asked).toEqual([[hash], [{ kind: 'workspace', id: 'ws_1' }]]);
});

test('a failing reader at the other side, another secret, another region, a clock that is off: no answer', async () => {
  const failing = await privatePeers({
    records: both({
      readRecords: () => Promise.reject(new Problem('database_unavailable', 'down')),
      readShared: () => Promise.reject(new Error('a fault')),
    }),
  });
  expect(await refusalOf(failing.readRecords(HOME, [], NO_FLOOR, 'home'))).toEqual(NO_HOME);
  expect(await refusalOf(failing.readShared(HOME, [], NO_FLOOR, 'home'))).toEqual(NO_HOME);
  const stranger = await privatePeers({}, { secret: 'another secret of 32 characters..' });
  expect(await refusalOf(stranger.state(HOME, signal))).toEqual(NO_HOME);
  const late = await privatePeers({}, { nowMs: () => Date.now() - 60_000 });
  expect(await refusalOf(late.state(HOME, signal))).toEqual(NO_HOME);
  const repeating = await privatePeers({}, { nonce: () => 'always-the-same-nonce' });
  await repeating.state(HOME, signal);
  expect(await refusalOf(repeating.state(HOME, signal))).toEqual(NO_HOME);
});
