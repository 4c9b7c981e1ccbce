import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { SYSTEM_CLOCK } from './delay-line.ts';
import type { LineClock } from './delay-line.ts';
import { relay } from './relay.ts';

/** Somewhere that a connection can go. */
export interface Candidate {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** How far away it is for this client. */
  readonly rttMs: number;
}

export interface ProxyOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Where a connection that comes now may go, best first; asked once for each connection. */
  readonly candidates: () => readonly Candidate[];
  /** @default 340 s, as Global Accelerator has it */
  readonly idleTimeoutMs?: number;
  /** A candidate that doesn't accept for so long is passed over. @default 2000 */
  readonly connectTimeoutMs?: number;
  readonly clock?: LineClock;
}

export interface Proxy {
  readonly port: number;
  /** Connections that are passed on or being set up now. */
  readonly connections: number;
  /** Cuts every connection to this candidate, so that its clients notice and come back. */
  cut(name: string): void;
  /** Closes the port and cuts everything. */
  stop(): Promise<void>;
}

const DEFAULT_IDLE_TIMEOUT_MS = 340_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 2000;

interface Connection {
  /** Empty until a candidate has accepted. */
  target: string;
  cut: () => void;
}

/**
 * Listens on one port and passes each connection, byte for byte, to the first candidate that accepts it. Rejects where the port
 * can't be had (the error has `code` and `port`).
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const connections = new Set<Connection>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    const connection: Connection = { target: '', cut: () => void client.resetAndDestroy() };
    connections.add(connection);
    client.on('close', () => connections.delete(connection));
    // Until the relay takes over, a client that goes away is noticed by `destroyed` alone.
    client.on('error', () => client.destroy());
    // `serve` never rejects: where no candidate accepts, it resets the client.
    void serve(client, connection, options);
  });
  await listen(server, options.host, options.port);
  // A listening server's address is an object; only pipes have a string.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get connections() {
      return connections.size;
    },
    cut: (name) => {
      for (const connection of connections) if (connection.target === name) connection.cut();
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of connections) connection.cut();
      await closed;
    },
  };
}

async function serve(client: Socket, connection: Connection, options: ProxyOptions): Promise<void> {
  const clock = options.clock ?? SYSTEM_CLOCK;
  const acceptedAtMs = clock.nowMs();
  for (const { name, host, port, rttMs } of options.candidates()) {
    const backend = await tryConnect(host, port, options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
    if (backend === undefined) continue;
    if (client.destroyed) {
      backend.destroy();
      return;
    }
    const idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    connection.target = name;
    connection.cut = relay({ client, backend, rttMs, acceptedAtMs, idleTimeoutMs, clock });
    return;
  }
  client.resetAndDestroy();
}

/** A connected socket, or undefined where the connection was refused or took too long. */
function tryConnect(host: string, port: number, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const settle = (result: Socket | undefined): void => {
      clearTimeout(timer);
      socket.off('connect', onConnect);
      if (result === undefined) socket.destroy();
      resolve(result);
    };
    const onConnect = (): void => settle(socket);
    const timer = setTimeout(() => settle(undefined), timeoutMs);
    socket.once('connect', onConnect);
    socket.once('error', () => settle(undefined));
    socket.pause();
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
