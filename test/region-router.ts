import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { vi } from 'vitest';
import { freePort } from '../scripts/lib/ports.ts';

/** Stands for the internal load balancers of a zone's regions: one port, and the host's name says which region is meant. */
export interface RegionRouter {
  /** For KEYHEARTH_PEER_URL. */
  readonly urlTemplate: string;
  /** Private calls that came in, by region. */
  readonly calls: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const SUFFIX = '.zone.test';
/** As it was before any router. */
const lookUp = dns.lookup;

/**
 * `urlsOf` names the tasks of a region, which take turns. Where there is none, the answer is a load balancer's own 503, in HTML.
 * Names under `zone.test` lead to this machine as long as it runs.
 */
export async function startRegionRouter(
  urlsOf: (region: string) => readonly string[],
): Promise<RegionRouter> {
  const calls = new Map<string, number>();
  const server = createServer((request, response) => {
    const region = (request.headers.host ?? '').split('.')[0] ?? '';
    const count = (calls.get(region) ?? 0) + 1;
    calls.set(region, count);
    const urls = urlsOf(region);
    const url = urls[count % urls.length];
    const fail = (status: number): void => {
      response.writeHead(status, { 'content-type': 'text/html' }).end(`<h1>${status}</h1>`);
    };
    if (url === undefined) {
      request.resume().on('end', () => fail(503));
      return;
    }
    const { method, headers } = request;
    const onward = httpRequest(new URL(request.url ?? '/', url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => (response.headersSent ? response.destroy() : fail(502)));
    request.pipe(onward);
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const spy = vi.spyOn(dns, 'lookup').mockImplementation((name: string, ...rest: unknown[]) => {
    const found = name.endsWith(SUFFIX) ? '127.0.0.1' : name;
    Reflect.apply(lookUp, dns, [found, ...rest]);
  });
  return {
    urlTemplate: `http://{region}${SUFFIX}:${port}`,
    calls,
    async stop() {
      spy.mockRestore();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
