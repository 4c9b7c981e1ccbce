import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { PEER_SECRET, testDeps } from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import { Problem } from '../domain/problem.ts';
import { problemText } from '../http/answers.ts';
import type { CreditLedger, Draw, Settlement } from '../verify/ports.ts';
import { createPeers, type PeersClient, type PeersOptions } from './client.ts';
import { writeDrawn } from './draw-wire.ts';
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
  holder: 'task_1',
  cost: 2,
  wanted: 9,
  epoch: EPOCH,
};
const SETTLEMENT: Settlement = {
  id: 'draw-1',
  accountId: 'credits_1',
  generation: 1,
  epoch: EPOCH,
  spent: 2,
  closed: true,
};
const UNAVAILABLE = { code: 'credits_unavailable', status: 503, retryAfterS: 1 };
const UNKNOWN = { code: 'outcome_unknown', status: 504, retryAfterS: undefined };

type Said = readonly [status: number, body: string];
const refused = (problem: Problem): Said => [problem.status, problemText(problem, 'req_1')];
const noSuchCall = refused(new Problem('route_not_found', 'There is no such call.'));

// A new task, and a home of the version before

/** A home whose tasks say this to each call; null: the connection ends, 'nothing': it stays silent. What they don't know they answer as the version before does. */
async function homeThat(
  says: (call: string) => Said | null | undefined | 'nothing',
  options: Partial<PeersOptions> = {},
) {
  const asked: [call: string, body: string][] = [];
  const server = createServer((request, response) => {
    let body = '';
    request
      .setEncoding('utf8')
      .on('data', (chunk: string) => (body += chunk))
      .on('end', () => {
        const call = request.url?.replace('/internal/', '') ?? '';
        asked.push([call, body]);
        const said = says(call);
        if (said === 'nothing') return;
        if (said === null) {
          response.destroy();
          return;
        }
        const [status, text] = said ?? noSuchCall;
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(text);
      });
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return { asked, peers: peersTo(`http://127.0.0.1:${port}`, options) };
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

const spending = (spent: boolean): Said => [200, JSON.stringify({ spent, free: 1, generation: 7 })];

test.each([true, false])('the cost is taken the way an earlier version takes it: %s', async (spent) => {
  const { asked, peers } = await homeThat((call) => (call === 'spend' ? spending(spent) : undefined));
  expect(await peers.draw(HOME, DRAW)).toEqual({ spent, leased: 0, free: 1, generation: 7, epoch: EPOCH });
  expect(asked.map(([call]) => call)).toEqual(['draw', 'spend']);
  expect(asked[1]?.[1]).toBe('{"accountId":"credits_1","cost":2}');
});

test('while some tasks of home hand out leases, a refusal of one that knows none isn’t believed', async () => {
  let isNew = true;
  let spent = false;
  const drawn = writeDrawn({ spent: true, leased: 9, free: 1, generation: 7, epoch: EPOCH });
  const { peers } = await homeThat((call) => {
    if (call === 'spend') return spending(spent);
    return call === 'draw' && isNew ? [200, drawn] : undefined;
  });
  await peers.draw(HOME, DRAW);
  isNew = false;
  await expect(peers.draw(HOME, DRAW)).rejects.toMatchObject(UNAVAILABLE);
  spent = true;
  expect(await peers.draw(HOME, DRAW)).toMatchObject({ spent: true, leased: 0 });
});

test.each<[what: string, draw: Draw]>([
  ['a lease alone', { ...DRAW, cost: 0 }],
  ['a draw of a task that knows no epoch', { ...DRAW, epoch: null }],
])('%s takes nothing of a home of an earlier version', async (_what, draw) => {
  const { asked, peers } = await homeThat((call) => (call === 'spend' ? spending(true) : undefined));
  await expect(peers.draw(HOME, draw)).rejects.toMatchObject(UNAVAILABLE);
  expect(asked.map(([call]) => call)).toEqual(['draw']);
});

test('a settlement is kept, to be told again', async () => {
  const { asked, peers } = await homeThat(() => undefined);
  await expect(peers.settle(HOME, [SETTLEMENT])).rejects.toMatchObject({
    ...UNAVAILABLE,
    message: expect.stringMatching(/nothing was settled\.$/),
  });
  expect(asked.map(([call]) => call)).toEqual(['settle']);
});

test.each<[what: string, said: Said | null, refusal: object]>([
  ['a lost answer', null, UNKNOWN],
  ['an answer that can’t be read', [200, '{"spent":"yes"}'], UNKNOWN],
  ['a fault', refused(new Problem('internal_error', 'A fault.')), UNKNOWN],
  [
    'a database that was lost',
    refused(new Problem('outcome_unknown', 'Lost.')),
    { ...UNKNOWN, message: 'Lost.' },
  ],
  ['a refusal', refused(new Problem('credits_unavailable', 'Busy.')), { ...UNAVAILABLE, message: 'Busy.' }],
  ['a task that is about to stop', refused(new Problem('shutting_down', 'Bye.')), UNAVAILABLE],
  ['a refused signature', noSuchCall, UNAVAILABLE],
])(
  'after %s of a home of an earlier version: sent once, and only certainty says so',
  async (_what, said, refusal) => {
    const { asked, peers } = await homeThat((call) => (call === 'spend' ? said : undefined));
    await expect(peers.draw(HOME, DRAW)).rejects.toMatchObject(refusal);
    expect(asked.map(([call]) => call)).toEqual(['draw', 'spend']);
  },
);

test('both calls together take no longer than a draw may', async () => {
  let nowMs = 0;
  const says = (call: string) => {
    if (call === 'spend') return 'nothing';
    nowMs += 59_950;
    return undefined;
  };
  const { peers } = await homeThat(says, { nowMs: () => nowMs, drawTimeoutMs: 60_000 });
  await expect(peers.draw(HOME, DRAW)).rejects.toMatchObject(UNKNOWN);
});

// A task of the version before, and a new home

async function newHome(ledger: Partial<CreditLedger>) {
  const asked: unknown[] = [];
  const unasked = () => Promise.reject(new Error('not asked in this test'));
  const source = { readRecords: unasked, readShared: unasked };
  let draws = 0;
  const endpoint = createPeerEndpoint({
    state: () => ({ region: HOME, taskId: 'task_1', epoch: null, homeRegion: null }),
    taskStatus: { register: unasked, report: unasked, stopped: unasked },
    records: { home: source, reader: source },
    ledger: {
      draw: async (draw) => {
        asked.push(draw);
        return await (ledger.draw ?? unasked)(draw);
      },
      settle: async (settlements) => {
        asked.push(settlements);
        return await (ledger.settle ?? unasked)(settlements);
      },
    },
    drawId: () => `new-${(draws += 1)}`,
  });
  return { asked, spend: async (body: string) => await endpoint.answer('spend', body) };
}

const BODY = '{"accountId":"credits_1","cost":5}';
const AS_DRAW = {
  id: 'new-1',
  accountId: 'credits_1',
  holder: 'earlier version',
  cost: 5,
  wanted: 0,
  epoch: null,
};
const CANCELLED = {
  id: 'new-1',
  accountId: 'credits_1',
  generation: 0,
  epoch: null,
  spent: 0,
  closed: true,
};
const failing = () => Promise.reject(new Problem('credits_unavailable', 'The database was lost.'));

test('what it spends is drawn, each time anew and without a lease, and answered as it reads it', async () => {
  const { asked, spend } = await newHome({
    draw: ({ cost }) => Promise.resolve({ spent: cost < 9, leased: 0, free: 3, generation: 7, epoch: EPOCH }),
  });
  expect(JSON.parse((await spend(BODY)) ?? '')).toEqual({ spent: true, free: 3, generation: 7 });
  expect(JSON.parse((await spend('{"accountId":"credits_1","cost":9,"more":1}')) ?? '')).toEqual({
    spent: false,
    free: 3,
    generation: 7,
  });
  expect(asked).toEqual([AS_DRAW, { ...AS_DRAW, id: 'new-2', cost: 9 }]);
});

test('it hears that no credits were taken only once the draw that failed is cancelled', async () => {
  const { asked, spend } = await newHome({
    draw: failing,
    settle: () => Promise.resolve({ recalled: [] }),
  });
  await expect(spend(BODY)).rejects.toMatchObject({
    ...UNAVAILABLE,
    message: expect.stringMatching(/no credits were taken\.$/),
  });
  expect(asked).toEqual([AS_DRAW, [CANCELLED]]);
});

test('where that fails as well, the outcome is unknown', async () => {
  const { asked, spend } = await newHome({ draw: failing, settle: failing });
  await expect(spend(BODY)).rejects.toMatchObject(UNKNOWN);
  expect(asked).toEqual([AS_DRAW, [CANCELLED]]);
});

test('what it asks is checked', async () => {
  const { asked, spend } = await newHome({});
  const bodies = ['{}', '{"accountId":"ca_1","cost":0}', '{"accountId":"ca_1","cost":-5}', 'kh_secret'];
  for (const body of [...bodies, '{"accountId":"ca\\u0000","cost":1}']) {
    await expect(spend(body)).rejects.toMatchObject({ code: 'invalid_input' });
  }
  expect(asked).toEqual([]);
});

test('a new task answers a call that it doesn’t know the way that a draw falls back on', async () => {
  const app = buildApp(
    testDeps({ region: HOME, peerEndpoint: { answer: () => Promise.resolve(undefined) } }),
  );
  cleanups.push(() => app.close());
  const peers = peersTo(await app.listen({ host: '127.0.0.1', port: 0 }));
  await expect(peers.draw(HOME, { ...DRAW, cost: 0 })).rejects.toMatchObject({
    ...UNAVAILABLE,
    message: expect.stringContaining('earlier version'),
  });
});
