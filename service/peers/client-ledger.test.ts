import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { PEER_SECRET, testDeps } from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import { Problem } from '../domain/problem.ts';
import {
  type CreditLedger,
  type Draw,
  type Drawn,
  type Settlement,
  SETTLEMENTS_MAX,
} from '../verify/ports.ts';
import { createPeers, type PeersClient, type PeersOptions } from './client.ts';
import { createPeerEndpoint } from './endpoint.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const HOME = 'us-east-1';
const EPOCH = { counter: 4, id: 'abcd1234' };
const DRAW: Draw = {
  id: 'draw-1',
  accountId: 'credits_1',
  holder: 'eu-west-1/0a1b2c',
  cost: 2,
  wanted: 100,
  epoch: EPOCH,
};
const DRAWN: Drawn = { spent: true, leased: 64, free: 934, generation: 3, epoch: EPOCH };
const SETTLEMENT: Settlement = {
  id: DRAW.id,
  accountId: DRAW.accountId,
  generation: 3,
  epoch: EPOCH,
  spent: 40,
  closed: false,
};

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

async function peersOfHome(ledger: CreditLedger): Promise<PeersClient> {
  const unasked = () => Promise.reject(new Error('not asked in this test'));
  const source = { readRecords: unasked, readShared: unasked };
  const peerEndpoint = createPeerEndpoint({
    state: () => ({ region: HOME, taskId: 'task_1', epoch: null, homeRegion: null }),
    taskStatus: { register: unasked, report: unasked, stopped: unasked },
    records: { home: source, reader: source },
    ledger,
  });
  const app = buildApp(testDeps({ region: HOME, peerEndpoint }));
  cleanups.push(() => app.close());
  return peersTo(await app.listen({ host: '127.0.0.1', port: 0 }));
}

/** The URL of a server below HTTP that does this to a connection once a request has begun to arrive. */
async function startRaw(onRequest: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('data', () => onRequest(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  // A listening TCP server has an address with a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const reply = (status: number, type: string, body: string): string =>
  `HTTP/1.1 ${status} x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** Whose text has this in it. */
function refusal(message: string): object {
  const refused = { code: 'credits_unavailable', status: 503, retryAfterS: 1 };
  return { ...refused, message: expect.stringContaining(message) };
}

test('home’s ledger is asked what was asked for, and its refusals come back in its own words', async () => {
  const asked: unknown[] = [];
  const peers = await peersOfHome({
    draw: (draw) => {
      asked.push(draw);
      if (draw.cost > 5) return Promise.reject(new Problem('credits_unavailable', 'The database was lost.'));
      return Promise.resolve(DRAWN);
    },
    settle: (settlements) => {
      asked.push(settlements);
      return Promise.resolve({ recalled: settlements.map(({ id }) => id) });
    },
  });
  const other = { ...SETTLEMENT, id: 'draw-2', epoch: null, spent: 0, closed: true };
  expect(await peers.draw(HOME, DRAW)).toStrictEqual(DRAWN);
  expect(await peers.settle(HOME, [SETTLEMENT, other])).toStrictEqual({ recalled: ['draw-1', 'draw-2'] });
  await expect(peers.draw(HOME, { ...DRAW, cost: 6 })).rejects.toMatchObject(
    refusal('The database was lost.'),
  );
  expect(asked).toStrictEqual([DRAW, [SETTLEMENT, other], { ...DRAW, cost: 6 }]);
});

test('as many settlements as a call may hold go through, and home refuses more', async () => {
  const peers = await peersOfHome({
    draw: () => Promise.reject(new Error('not asked in this test')),
    settle: (settlements) => Promise.resolve({ recalled: settlements.map(({ id }) => id) }),
  });
  const many = Array.from({ length: SETTLEMENTS_MAX + 1 }, (_, at) => ({
    ...SETTLEMENT,
    id: String(at).padStart(64, '0'),
    accountId: 'a'.repeat(64),
    spent: Number.MAX_SAFE_INTEGER,
  }));
  expect((await peers.settle(HOME, many.slice(1))).recalled).toHaveLength(SETTLEMENTS_MAX);
  await expect(peers.settle(HOME, many)).rejects.toMatchObject(refusal('nothing was settled'));
});

test.each<[what: string, onRequest: (socket: Socket) => void]>([
  ['the connection breaks', (socket) => socket.destroy()],
  ['no answer comes', () => {}],
  ['a load balancer gives up', (socket) => socket.write(reply(504, 'text/html', '<>'))],
])('%s: both may have been done, are sent once, and can be asked for again', async (_what, onRequest) => {
  let requests = 0;
  const url = await startRaw((socket) => {
    requests += 1;
    onRequest(socket);
  });
  const peers = peersTo(url, { drawTimeoutMs: 400, settleTimeoutMs: 400 });
  await expect(peers.draw(HOME, DRAW)).rejects.toMatchObject(refusal('credits may have been taken'));
  await expect(peers.settle(HOME, [SETTLEMENT])).rejects.toMatchObject(refusal('may have been settled'));
  expect(requests).toBe(2);
});

test('a load balancer has no task to ask, or a region is no peer: nothing was done', async () => {
  const peers = peersTo(await startRaw((socket) => socket.write(reply(503, 'text/html', '<>'))));
  for (const region of [HOME, 'sa-east-1']) {
    await expect(peers.draw(region, DRAW)).rejects.toMatchObject(refusal('no credits were taken'));
    await expect(peers.settle(region, [SETTLEMENT])).rejects.toMatchObject(refusal('nothing was settled'));
  }
});

test('a draw has a longer time than other calls, for what home waits for; one that is given up ends at once', async () => {
  const url = await startRaw((socket) => {
    setTimeout(() => socket.write(reply(200, 'application/json', JSON.stringify(DRAWN))), 120);
  });
  const peers = peersTo(url, { readTimeoutMs: 40, settleTimeoutMs: 40 });
  await expect(peers.settle(HOME, [SETTLEMENT])).rejects.toMatchObject(refusal(''));
  expect(await peers.draw(HOME, DRAW)).toEqual(DRAWN);
  await expect(peers.draw(HOME, DRAW, AbortSignal.timeout(20))).rejects.toMatchObject(refusal(''));
  await expect(peers.draw(HOME, DRAW, AbortSignal.abort())).rejects.toMatchObject(
    refusal('no credits were taken'),
  );
});
