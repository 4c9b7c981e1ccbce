import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { basicEnvironment } from '../scripts/lib/environment.ts';
import { freePort } from '../scripts/lib/ports.ts';

async function check(settings: Record<string, string>): Promise<{ code: unknown; said: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'healthcheck.ts')], {
    env: { ...basicEnvironment(), ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, said };
}

/** Listens on every address, as a task in a container does. Returns the settings that lead there. */
async function serve(answer: RequestListener): Promise<Record<string, string>> {
  const port = await freePort();
  const server = createServer(answer);
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { KEYHEARTH_PORT: String(port) };
}

test('a task that answers /livez is alive', async () => {
  const asked: unknown[] = [];
  const settings = await serve((request, response) => {
    asked.push(request.url);
    response.end('{"live":true}');
  });
  expect(await check(settings)).toEqual({ code: 0, said: '' });
  expect(await check({ ...settings, KEYHEARTH_HOST: '0.0.0.0' })).toEqual({ code: 0, said: '' });
  expect(asked).toEqual(['/livez', '/livez']);
});

test('an answer that is no 200 is a failure', async () => {
  const settings = await serve((_request, response) => response.writeHead(503).end());
  expect(await check(settings)).toEqual({ code: 1, said: '/livez: it answered 503\n' });
});

test('nobody there is a failure', async () => {
  const { code, said } = await check({ KEYHEARTH_PORT: '1', KEYHEARTH_HOST: '127.0.0.1' });
  expect({ code, said }).toEqual({ code: 1, said: '/livez: connect ECONNREFUSED 127.0.0.1:1\n' });
});

test.each<[string, RequestListener]>([
  ['never begins', () => {}],
  ['never ends', (_request, response) => void response.writeHead(200).write('{')],
])('an answer that %s is a failure after 2 s', async (_what, answer) => {
  const settings = await serve(answer);
  expect(await check(settings)).toEqual({ code: 1, said: '/livez: no answer within 2000 ms\n' });
});
