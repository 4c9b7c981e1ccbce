import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Service } from './call.ts';
import { dispatch, type Dispatch } from './dispatch.ts';
import { endpointEnvironment, loopbackOnly } from './environment.ts';
import type { Received } from './protocols/calls.ts';
import type { Sent } from './protocols/sent.ts';
import { isRegistryPath, Registry } from './registry/registry.ts';
import { RequestLog, type LoggedCall } from './request-log.ts';
import { SERVICES } from './services/index.ts';
import type { TaskRunner } from './task-runner.ts';
import { World } from './world.ts';

export { loopbackOnly };

const LOOPBACK = '127.0.0.1';
const MISDIRECTED = 421;
/** A client that keeps its connection never meets one that is being closed. */
const KEEP_ALIVE_MS = 600_000;

export interface FakeAwsOptions {
  /** @default 0: any that is free */
  readonly port?: number;
  /** Where to listen. Anything but 127.0.0.1 is refused. @default '127.0.0.1' */
  readonly host?: string;
  /** As of a world. @default 0 */
  readonly paceMs?: number;
  /** As of a world. @default none */
  readonly runner?: TaskRunner;
  /** A world of one's own, with `paceMs` and `runner` of its own. @default an empty one */
  readonly world?: World;
  /** @default all that there are */
  readonly services?: readonly Service[];
  /** Told of every call that was answered. */
  readonly watch?: (call: LoggedCall) => void;
}

export interface FakeAws {
  /** `http://127.0.0.1:20123` */
  readonly endpoint: string;
  readonly world: World;
  /** The last 20,000 calls, oldest first. */
  readonly calls: readonly LoggedCall[];
  /** `service:Action` of each call that nothing here answers for: a test of a program asserts that there are none. */
  readonly unknownCalls: readonly string[];
  /** `host:port` of each connection to somewhere else that a program tried to make through us as its proxy. None was let through. */
  readonly escapes: readonly string[];
  /** What went wrong in the fake itself. */
  readonly faults: readonly unknown[];
  /** Variables for a child process that works in this account. Combine them with `loopbackEnvironment`, which drops what is inherited. */
  environment(account: string, region?: string): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts a local AWS on loopback. Throws where the port is taken, or where it is told to listen anywhere else. */
export async function startFakeAws(options: FakeAwsOptions = {}): Promise<FakeAws> {
  const { port = 0, host = LOOPBACK, paceMs, runner, services = SERVICES, watch } = options;
  if (host !== LOOPBACK) throw new Error(`a local AWS listens on ${LOOPBACK} only, and not on ${host}`);
  const world =
    options.world ??
    new World({ ...(paceMs === undefined ? {} : { paceMs }), ...(runner === undefined ? {} : { runner }) });
  const log = new RequestLog(watch);
  const registry = new Registry(world);
  let endpoint = '';
  const to: Dispatch = { world, services, log, faults: [], endpoint: () => endpoint };

  const escapes: string[] = [];
  const answer = async (request: IncomingMessage): Promise<Sent> => {
    const received = await receive(request);
    const { host: asked = '' } = request.headers;
    if (!isOurHost(asked)) {
      escapes.push(asked);
      return { status: MISDIRECTED, headers: {}, body: `${asked} isn't this machine\n` };
    }
    if (!isRegistryPath(received.path)) return dispatch(to, received);
    return registry.answer(received);
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (sent) => send(request, response, sent),
      (error: unknown) => {
        // A client that hangs up in the middle of its body is no fault of ours.
        if (!request.errored) to.faults.push(error);
        response.destroy();
      },
    );
  });
  server.on('connect', (request, socket) => {
    escapes.push(request.url ?? '');
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  endpoint = `http://${LOOPBACK}:${address.port}`;

  return {
    endpoint,
    world,
    escapes,
    faults: to.faults,
    get calls() {
      return log.calls;
    },
    get unknownCalls() {
      return log.unknownCalls;
    },
    environment(account, region = 'us-east-1') {
      return endpointEnvironment(endpoint, account, region);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: `${bucketOf(request.headers.host)}${mark < 0 ? url : url.slice(0, mark)}`,
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
}

/** S3's other form of address, `http://bucket.localhost:PORT/key`, becomes the one with the bucket in the path. */
function bucketOf(host = ''): string {
  const bucket = /^(.+)\.localhost(?::\d+)?$/.exec(host)?.[1];
  return bucket === undefined ? '' : `/${bucket}`;
}

/** A page in a browser that has its own name point at this machine gets nothing. */
function isOurHost(host: string): boolean {
  return /^(?:127\.0\.0\.1|(?:[a-z0-9.-]+\.)?localhost)(?::\d+)?$/.test(host);
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Sent): void {
  const isHead = request.method === 'HEAD';
  const bytes = Buffer.from(body);
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, {
    ...(bodiless ? {} : { 'content-length': String(bytes.length) }),
    ...headers,
  });
  response.end(isHead || bodiless ? undefined : bytes);
}
