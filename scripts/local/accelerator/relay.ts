import type { Socket } from 'node:net';

import { DelayLine } from './delay-line.ts';
import type { LineClock } from './delay-line.ts';

export interface RelayOptions {
  readonly client: Socket;
  readonly backend: Socket;
  /** Round-trip time between the two; 0 passes bytes straight on. */
  readonly rttMs: number;
  /** On `clock`: when the client's connection was accepted. */
  readonly acceptedAtMs: number;
  /** A connection that carries nothing for so long is cut. */
  readonly idleTimeoutMs: number;
  readonly clock: LineClock;
}

/**
 * Joins two connected sockets (both half-open capable) as if they were `rttMs` apart: half of it in each direction, and the
 * handshake a whole one before the client's first byte can leave. Ends are passed on one direction at a time; a reset or an error
 * of one side resets the other. Returns what cuts the connection.
 */
export function relay(options: RelayOptions): () => void {
  const { client, backend, rttMs, acceptedAtMs, idleTimeoutMs, clock } = options;
  const upward = connect(client, backend, rttMs / 2, acceptedAtMs + rttMs, clock);
  const downward = connect(backend, client, rttMs / 2, acceptedAtMs + rttMs / 2, clock);
  const cut = (): void => {
    upward.clear();
    downward.clear();
    client.resetAndDestroy();
    backend.resetAndDestroy();
  };
  for (const socket of [client, backend]) {
    socket.on('error', cut);
    // Both halves ended and written: whatever is still on its way to the other side goes on. Anything else was an abort.
    socket.on('close', () => {
      if (!socket.readableEnded || !socket.writableFinished) cut();
    });
  }
  client.setTimeout(idleTimeoutMs, cut);
  return cut;
}

function connect(from: Socket, to: Socket, delayMs: number, openAtMs: number, clock: LineClock): DelayLine {
  const line = new DelayLine({
    delayMs,
    openAtMs,
    clock,
    sink: { write: (chunk) => to.write(chunk), end: () => void to.end() },
    onSpace: () => void from.resume(),
  });
  from.on('data', (chunk: Buffer) => {
    if (!line.push(chunk)) from.pause();
  });
  from.on('end', () => line.end());
  to.on('drain', () => line.drained());
  from.resume();
  return line;
}
