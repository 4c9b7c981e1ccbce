import type { Socket } from 'node:net';

import { DelayLine } from './delay-line.ts';
import type { LineClock, LineSink } from './delay-line.ts';

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

/** How long, and for how many bytes, a client may go on sending to a backend that has answered and closed. */
const DRAIN_MS = 5000;
const DRAIN_BYTES = 64 * 1024 * 1024;

/**
 * Joins two connected sockets (both half-open capable) as if they were `rttMs` apart: half of it in each direction, and the
 * handshake a whole one before the client's first byte can leave. Ends are passed on one direction at a time; a reset or an error
 * of one side resets the other. Returns what cuts the connection.
 *
 * A backend that answers and closes without having read all of a request refuses what still comes. Its answer is passed on all the same:
 * what the client goes on sending is read and dropped, since a reset would overtake the answer.
 */
export function relay(options: RelayOptions): () => void {
  const { client, backend, rttMs, acceptedAtMs, idleTimeoutMs, clock } = options;
  /** Bytes for a backend that has closed; null while it takes them. */
  let dropped: number | null = null;
  const up: LineSink = {
    write: (chunk) => {
      // The write may be the one that finds the backend closed.
      if (dropped === null) return backend.write(chunk) || dropped !== null;
      dropped += chunk.length;
      if (dropped > DRAIN_BYTES) cut();
      return true;
    },
    end: () => {
      if (dropped === null) backend.end();
    },
  };
  const down: LineSink = { write: (chunk) => client.write(chunk), end: () => void client.end() };
  const upward = connect(client, up, rttMs / 2, acceptedAtMs + rttMs, clock);
  const downward = connect(backend, down, rttMs / 2, acceptedAtMs + rttMs / 2, clock);
  backend.on('drain', () => upward.drained());
  client.on('drain', () => downward.drained());
  const cut = (): void => {
    upward.clear();
    downward.clear();
    client.resetAndDestroy();
    backend.resetAndDestroy();
  };
  const leave = (): void => {
    if (dropped !== null && backend.readableEnded) backend.destroy();
  };
  backend.on('end', leave);
  whenClosed(backend, () => {
    if (dropped !== null || client.destroyed) return;
    dropped = 0;
    leave();
    upward.clear();
    upward.drained();
    client.resume();
    client.on('close', clock.after(DRAIN_MS, cut));
  });
  for (const socket of [client, backend]) {
    socket.on('error', cut);
    // Both halves ended and written: whatever is still on its way to the other side goes on. Anything else was an abort.
    socket.on('close', () => {
      const hasEnded = socket.writableFinished || (socket === backend && dropped !== null);
      if (!socket.readableEnded || !hasEnded) cut();
    });
  }
  client.setTimeout(idleTimeoutMs, cut);
  return cut;
}

function connect(
  from: Socket,
  sink: LineSink,
  delayMs: number,
  openAtMs: number,
  clock: LineClock,
): DelayLine {
  const line = new DelayLine({ delayMs, openAtMs, clock, sink, onSpace: () => void from.resume() });
  from.on('data', (chunk: Buffer) => {
    if (!line.push(chunk)) from.pause();
  });
  from.on('end', () => line.end());
  from.resume();
  return line;
}

/**
 * Calls back where a write fails because the other side has ended what it says and then closed (EPIPE; without the end it is ECONNRESET),
 * and lets that write pass. A write that is told to have failed would end the socket at once, with what has come and isn't read yet.
 */
function whenClosed(socket: Socket, onClosed: () => void): void {
  /* oxlint-disable no-underscore-dangle -- what a stream's own writing is called, in Node's documentation too */
  const passing =
    (callback: (error?: Error | null) => void) =>
    (error?: NodeJS.ErrnoException | null): void => {
      if (error?.code !== 'EPIPE') {
        callback(error);
        return;
      }
      onClosed();
      callback();
    };
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, passing(callback));
  if (writev !== undefined) socket._writev = (chunks, callback) => writev(chunks, passing(callback));
  /* oxlint-enable no-underscore-dangle */
}
