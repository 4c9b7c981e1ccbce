import { createServer, type Server } from 'node:https';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';

/** Stands where accelerator and load balancer would: TLS for a hostname, and the service behind it. */
export class TlsFront {
  /** PEM of the certificate, which is its own authority. */
  readonly certificate: string;
  readonly #server: Server;

  private constructor(server: Server, certificate: string) {
    this.#server = server;
    this.certificate = certificate;
  }

  /** `target`: the port that requests go to, asked for each; null while there is none. */
  static async start(hostname: string, target: () => number | null): Promise<TlsFront> {
    const { private: key, cert } = await generate([{ name: 'commonName', value: hostname }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: hostname }] }],
    });
    const server = createServer({ key, cert }, (incoming, answer) => {
      const { method, url, headers } = incoming;
      const port = target();
      if (port === null) {
        answer.writeHead(503).end();
        return;
      }
      const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      });
      onward.on('error', (error) => answer.writeHead(502).end(error.message));
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsFront(server, cert);
  }

  get port(): number {
    // It listens on an address, not on a path.
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
