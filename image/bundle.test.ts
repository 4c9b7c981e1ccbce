import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { basicEnvironment } from '../scripts/lib/environment.ts';
import { freePort } from '../scripts/lib/ports.ts';

/** The bundle as it lies in the image, run outside a container. What a bundler leaves out shows only when it is needed. */
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyhearth-bundle-'));
  const built = await start(join(import.meta.dirname, 'build.ts'), {}, join(folder, 'app'));
  if (built.code !== 0) throw new Error(built.stderr);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(file: string, settings: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const child = spawn(process.execPath, [file, ...args], {
    // Far from node_modules and regions.config.ts.
    cwd: folder,
    env: { ...basicEnvironment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as unknown, stdout, stderr };
}

function entry(name: string): string {
  return join(folder, 'app', `${name}.mjs`);
}

test.each([
  ['main', 'keyhearth: KEYHEARTH_ZONE is missing'],
  ['prepare', 'The database was not prepared: KEYHEARTH_READER_URLS is missing'],
  ['migrate', 'KEYHEARTH_WRITER_URL'],
  ['bootstrap', 'No workspace was made: KEYHEARTH_ZONE'],
  ['vault-key', 'No vault key was made: use: '],
  ['tasks', 'Nothing was done: use: '],
  ['feed-trial', 'feed trial: KEYHEARTH_WRITER_URL'],
])('%s runs, and says what it needs', async (name, sentence) => {
  const { code, stderr } = await start(entry(name), {});
  expect(code).toBe(1);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('without regions.config.ts it says which setting takes its place', async () => {
  const url = 'postgres://keyhearth_app@127.0.0.1:1/none';
  const { code, stderr } = await start(entry('main'), {
    KEYHEARTH_ZONE: 'global',
    KEYHEARTH_REGION: 'us-east-1',
    KEYHEARTH_WRITER_URL: url,
    KEYHEARTH_READER_URLS: url,
    KEYHEARTH_PEER_SECRET: 'x'.repeat(32),
  });
  expect(code).toBe(1);
  expect(stderr).toContain('KEYHEARTH_ORIGIN is missing');
});

test('a token for the database is signed with the credentials that the container’s host gives', async () => {
  const [credentialsPort, databasePort] = [await freePort(), await freePort()];
  const host = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    const expiration = new Date(Date.now() + 3_600_000).toISOString();
    response.end(
      JSON.stringify({
        AccessKeyId: 'AKIDOFTEST',
        SecretAccessKey: 'none',
        Token: 'none',
        Expiration: expiration,
      }),
    );
  });
  host.listen(credentialsPort, '127.0.0.1');
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  writeFileSync(join(folder, 'authority.pem'), cert);
  let password = '';
  // As much of Postgres as asks for TLS and a password in clear text, and then hangs up.
  const database = createServer((socket) => {
    socket.once('data', () => {
      socket.write('S');
      const secured = new TLSSocket(socket, { isServer: true, key, cert });
      secured.once('data', () => {
        secured.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        secured.once('data', (message: Buffer) => {
          password = message.toString('latin1', 5);
          secured.destroy();
        });
      });
    });
  });
  database.listen(databasePort, 'localhost');
  onTestFinished(() => {
    host.close();
    database.close();
  });
  const { code } = await start(
    entry('tasks'),
    {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${credentialsPort}/`,
      KEYHEARTH_DATABASE_AUTH: 'iam',
      KEYHEARTH_DATABASE_TLS: join(folder, 'authority.pem'),
      KEYHEARTH_REGION: 'eu-west-1',
      KEYHEARTH_WRITER_URL: `postgres://keyhearth_app@localhost:${databasePort}/keyhearth`,
    },
    'list',
  );
  expect(code).toBe(1);
  expect(password).toContain(`localhost:${databasePort}/?Action=connect&DBUser=keyhearth_app`);
  expect(password).toContain('X-Amz-Credential=AKIDOFTEST');
});
