import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../scripts/lib/ports.ts';

/** A TCP link to somewhere on this machine, as between two regions. It can be cut, and mended. */
export interface CuttableLink {
  /** What stands for the other end. */
  readonly url: string;
  /** Ends the connections at once and accepts no more: whoever connects is dropped. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
}

/** `target` is asked at each connection, since its port may not be known yet. */
export async function startCuttableLink(target: () => string): Promise<CuttableLink> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A cut connection is reset on both sides; each side of the test notices by itself.
    socket.on('error', () => {});
  };
  const server = createServer((near) => {
    keep(near);
    if (isCut) {
      near.resetAndDestroy();
      return;
    }
    const { hostname, port } = new URL(target());
    const far = connect({ host: hostname, port: Number(port) });
    keep(far);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const endAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      endAll();
    },
    mend() {
      isCut = false;
    },
    async stop() {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}
