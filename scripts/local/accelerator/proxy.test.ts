import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { expect, onTestFinished, test, vi } from 'vitest';

import { SYSTEM_CLOCK } from './delay-line.ts';
import type { LineClock } from './delay-line.ts';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

async function backendWith(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A listening server's address is an object.
  return (server.address() as AddressInfo).port;
}

async function proxyTo(
  backendPort: number,
  rttMs: number,
  idleTimeoutMs?: number,
  clock: LineClock = SYSTEM_CLOCK,
): Promise<Proxy> {
  const idle = idleTimeoutMs === undefined ? {} : { idleTimeoutMs };
  const proxy = await startProxy({
    host: '127.0.0.1',
    port: 0,
    candidates: () => [{ name: 'only', host: '127.0.0.1', port: backendPort, rttMs }],
    clock,
    ...idle,
  });
  onTestFinished(() => proxy.stop());
  return proxy;
}

async function clientOf({ port }: Proxy): Promise<Socket> {
  const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  client.on('error', () => client.destroy());
  onTestFinished(() => void client.destroy());
  await once(client, 'connect');
  return client;
}

function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks).toString();
}

test('the first answer takes two round trips, each further one takes one', async () => {
  const rttMs = 40;
  const proxy = await proxyTo(await backendWith((socket) => socket.pipe(socket)), rttMs);
  const startedAtMs = performance.now();
  const client = await clientOf(proxy);
  client.write('one');
  expect(String((await once(client, 'data'))[0])).toBe('one');
  const firstAtMs = performance.now();
  expect(firstAtMs - startedAtMs).toBeGreaterThanOrEqual(2 * rttMs - 1);
  client.write('two');
  expect(String((await once(client, 'data'))[0])).toBe('two');
  expect(performance.now() - firstAtMs).toBeGreaterThanOrEqual(rttMs - 1);
});

test('a server that speaks first is heard after one round trip', async () => {
  const proxy = await proxyTo(await backendWith((socket) => void socket.end('hello')), 40);
  const startedAtMs = performance.now();
  const client = await clientOf(proxy);
  expect(await textOf(client)).toBe('hello');
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(39);
});

test.each([[0], [20]])('a half-closed connection still carries the answer (%i ms)', async (rttMs) => {
  const port = await backendWith((socket) => {
    void textOf(socket).then((text) => socket.end(`got ${text}`));
  });
  const client = await clientOf(await proxyTo(port, rttMs));
  const answer = textOf(client);
  client.write('the ');
  client.end('question');
  expect(await answer).toBe('got the question');
});

test.each([[0], [10]])('8 MB come back as they went (%i ms)', async (rttMs) => {
  const client = await clientOf(await proxyTo(await backendWith((socket) => socket.pipe(socket)), rttMs));
  const sent = randomBytes(8 * 1024 * 1024);
  const hash = createHash('sha256');
  client.on('data', (chunk: Buffer) => hash.update(chunk));
  client.end(sent);
  await once(client, 'end');
  expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
});

test('a backend that reads nothing stops the client, and gets everything once it reads', async () => {
  const piece = Buffer.alloc(64 * 1024);
  const pieces = 1024;
  const state: { backend?: Socket; taken: number; received: number } = { taken: 0, received: 0 };
  const port = await backendWith((socket) => {
    state.backend = socket.pause();
  });
  const client = await clientOf(await proxyTo(port, 2));
  const writeNext = (): void => {
    if (state.taken === pieces) client.end();
    else {
      client.write(piece, () => {
        state.taken++;
        writeNext();
      });
    }
  };
  writeNext();
  let [before, unchanged] = [-1, 0];
  await vi.waitFor(
    () => {
      unchanged = state.taken === before ? unchanged + 1 : 0;
      before = state.taken;
      expect(unchanged).toBeGreaterThan(10);
    },
    { interval: 20, timeout: 10_000 },
  );
  expect(state.taken).toBeLessThan(pieces / 2);
  state.backend?.on('data', (chunk: Buffer) => {
    state.received += chunk.length;
  });
  state.backend?.resume();
  await vi.waitFor(() => expect(state.received).toBe(pieces * piece.length), { timeout: 20_000 });
}, 40_000);

test('a reset of either side resets the other', async () => {
  const backends: Socket[] = [];
  const proxy = await proxyTo(await backendWith((socket) => void backends.push(socket.resume())), 5);
  const first = await clientOf(proxy);
  await vi.waitFor(() => expect(backends).toHaveLength(1), { timeout: 15_000 });
  backends[0]?.resetAndDestroy();
  await closed(first);
  const second = await clientOf(proxy);
  await vi.waitFor(() => expect(backends).toHaveLength(2), { timeout: 15_000 });
  second.resetAndDestroy();
  await vi.waitFor(() => expect(backends[1]?.destroyed).toBe(true), { timeout: 15_000 });
  await vi.waitFor(() => expect(proxy.connections).toBe(0), { timeout: 15_000 });
});

/** Answers the first bytes and closes without reading the rest. */
async function hastyBackend(): Promise<number> {
  return await backendWith((socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.end('refused', () => socket.destroy());
    });
  });
}

/** Goes on sending until the connection is closed, or so many pieces are sent. */
function upload(client: Socket, pieces: number): { sent: number } {
  const piece = Buffer.alloc(64 * 1024);
  const state = { sent: 0 };
  const next = (): void => {
    if (state.sent === pieces || client.destroyed) return;
    client.write(piece, () => {
      state.sent += 1;
      next();
    });
  };
  next();
  return state;
}

test.each([[0], [20]])('an answer before the upload’s end isn’t lost (%i ms)', async (rttMs) => {
  const proxy = await proxyTo(await hastyBackend(), rttMs);
  for (let round = 0; round < 10; round++) {
    const client = await clientOf(proxy);
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    const answer = textOf(client);
    const state = upload(client, 100);
    expect(await answer).toBe('refused');
    await vi.waitFor(() => expect(state.sent).toBe(100), { timeout: 15_000 });
    client.end();
    await closed(client);
    expect(errors).toEqual([]);
  }
  await vi.waitFor(() => expect(proxy.connections).toBe(0), { timeout: 15_000 });
});

test('who goes on sending for long to a backend that has closed is cut', async () => {
  const hasty: LineClock = { ...SYSTEM_CLOCK, after: (ms, done) => SYSTEM_CLOCK.after(ms / 100, done) };
  const proxy = await proxyTo(await hastyBackend(), 0, undefined, hasty);
  const client = await clientOf(proxy);
  const answer = textOf(client);
  const trickle = setInterval(() => void client.write('x'), 1);
  onTestFinished(() => clearInterval(trickle));
  expect(await answer).toBe('refused');
  await closed(client);
});

test('an idle connection is cut, a used one is not', async () => {
  const proxy = await proxyTo(await backendWith((socket) => socket.pipe(socket)), 0, 200);
  const [idle, used] = [await clientOf(proxy), await clientOf(proxy)];
  while (!idle.destroyed) {
    used.write('x');
    await once(used, 'data');
    await pause(10);
  }
  expect(used.destroyed).toBe(false);
});

test('where no candidate accepts, the client is reset', async () => {
  const proxy = await proxyTo(1, 0);
  const client = connect(proxy.port, '127.0.0.1');
  await expect(once(client, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('many short connections leave nothing behind', async () => {
  const proxy = await proxyTo(await backendWith((socket) => void socket.end('bye')), 3);
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await clientOf(proxy);
        expect(await textOf(client)).toBe('bye');
        client.end();
      }),
    );
  }
  await vi.waitFor(() => expect(proxy.connections).toBe(0), { timeout: 15_000 });
});

test('stopping cuts connections and frees the port; a taken port is refused with its number', async () => {
  const proxy = await proxyTo(await backendWith((socket) => void socket.resume()), 50);
  const client = await clientOf(proxy);
  const taken = startProxy({ host: '127.0.0.1', port: proxy.port, candidates: () => [] });
  await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE', port: proxy.port });
  const isClosed = closed(client);
  await proxy.stop();
  await isClosed;
  const again = await startProxy({ host: '127.0.0.1', port: proxy.port, candidates: () => [] });
  await again.stop();
});
