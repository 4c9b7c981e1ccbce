import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate, type GenerateResult } from 'selfsigned';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createTransport, NotSent, type Transport, type TransportOptions } from './transport.ts';

const NAME = 'keys.example.com';
const DAY_MS = 86_400_000;

let authority: GenerateResult;
let stranger: GenerateResult;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  [authority, stranger] = [await makeAuthority('ours'), await makeAuthority('another')];
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function makeAuthority(name: string): Promise<GenerateResult> {
  return await generate([{ name: 'commonName', value: `authority ${name}` }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
}

interface Certified {
  readonly name?: string;
  readonly by?: GenerateResult;
  /** Days from now at which it ends. */
  readonly days?: number;
}

/** A TLS server on the loopback that answers every request with the name that the client asked for. */
async function startServer({ name = NAME, by = authority, days = 10 }: Certified = {}) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    algorithm: 'sha256',
    ca: { cert: by.cert, key: by.private },
    notBeforeDate: new Date(Date.now() - 30 * DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
  let requests = 0;
  const asked: unknown[] = [];
  const server: Server = createServer({ cert, key }, (request, response) => {
    requests += 1;
    // The request came over TLS.
    asked.push('servername' in request.socket ? request.socket.servername : undefined);
    request.resume().on('end', () => response.end('{}'));
  });
  // A client that refuses the certificate breaks the handshake off.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, asked, requests: () => requests };
}

function transportTo(url: string, options: Partial<TransportOptions> = {}): Transport {
  const transport = createTransport(url, {
    connectTimeoutMs: 5000,
    serverName: NAME,
    ca: authority.cert,
    ...options,
  });
  cleanups.push(() => transport.close());
  return transport;
}

const REQUEST = { path: '/internal/state', headers: {}, body: '{}', timeoutMs: 10_000 };

test('over https, the server is asked for the given name and has to prove it', async () => {
  const { url, asked } = await startServer();
  expect(await transportTo(url).send(REQUEST)).toMatchObject({ status: 200, body: '{}' });
  expect(asked).toEqual([NAME]);
});

test.each<[what: string, certified: Certified, options: Partial<TransportOptions>, reason: RegExp]>([
  ['a certificate of another name', { name: 'other.example.com' }, {}, /altnames|Host/],
  ['a certificate that has expired', { days: -1 }, {}, /expired/],
  ['a name that the client did not mean', {}, { serverName: 'keys.eu.example.com' }, /altnames|Host/],
])('%s is an error, and nothing is sent', async (_what, certified, options, reason) => {
  const { url, requests } = await startServer(certified);
  const sent = transportTo(url, options).send(REQUEST);
  await expect(sent).rejects.toThrow(NotSent);
  await expect(sent).rejects.toThrow(reason);
  expect(requests()).toBe(0);
});

test('a certificate of an authority that nobody told us of is an error, and nothing is sent', async () => {
  const { url, requests } = await startServer({ by: stranger });
  await expect(transportTo(url).send(REQUEST)).rejects.toThrow(NotSent);
  expect(requests()).toBe(0);
});

test('without an authority of its own, a transport trusts those that Node knows, and not this one', async () => {
  const { url, requests } = await startServer();
  const transport = createTransport(url, { connectTimeoutMs: 5000, serverName: NAME });
  cleanups.push(() => transport.close());
  await expect(transport.send(REQUEST)).rejects.toThrow(/unable to get|self.signed|verify/i);
  expect(requests()).toBe(0);
});

test('one that retires lets the call end that is under way, and takes no other', async () => {
  const { url } = await startServer();
  const transport = transportTo(url);
  const underWay = transport.send(REQUEST);
  await transport.retire();
  expect(await underWay).toMatchObject({ status: 200 });
  await expect(transport.send(REQUEST)).rejects.toThrow(NotSent);
});
