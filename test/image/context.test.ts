import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, AssetStaging, Stack } from 'aws-cdk-lib';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** What decides whether the image changes, and what its last stage may do: read from the files, without podman. */
const ROOT = join(import.meta.dirname, '../..');
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const ALLOWED = ['.dockerignore', 'Dockerfile', 'LICENSE', 'package.json', 'package-lock.json'];

let checkout: string;

beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'keyhearth-context-'));
  for (const path of [...ALLOWED, 'regions.config.ts', 'image', 'topology', 'service']) {
    cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  }
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

/** As `cdk deploy` computes it: nothing is built, pushed or deployed anew while this is the same. */
function fingerprint(): string {
  // It remembers what it once computed for a folder.
  AssetStaging.clearAssetHashCache();
  const stack = new Stack(new App({ outdir: join(checkout, 'cdk.out') }), 'image');
  return new DockerImageAsset(stack, 'image', { directory: checkout, platform: Platform.LINUX_ARM64 })
    .assetHash;
}

function change(path: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), `// ${Math.random()}\n`);
}

test.each([
  'regions.config.ts',
  'README.md',
  'infra/app.ts',
  'scripts/command.ts',
  'docs/ARCHITECTURE.md',
  'load-tests/bench/main.ts',
  'test/zone.ts',
  'service/app.test.ts',
  'service/store/migrate.pg.test.ts',
  'topology/types.test-d.ts',
  'image/make.ts',
  'node_modules/fastify/fastify.js',
  'cdk.out/other.json',
  '.git/HEAD',
  '.env',
  'service.log',
  // What may lie about in a working copy, inside the folders that are let in.
  'service/.env',
  'service/.npmrc',
  'service/id_rsa',
  'service/store/migrations/.env',
  'service/store/migrations/notes.txt',
  'topology/key.pem',
  'image/core.123',
  'service/node_modules/x/index.ts',
  'service/.keyhearth/secret.ts',
])('a change of %s changes no image', (path) => {
  const before = fingerprint();
  change(path);
  expect(fingerprint()).toBe(before);
});

test.each([
  'service/main.ts',
  'service/http/verify-key.ts',
  'service/store/migrations/0101_base.sql',
  'topology/read.ts',
  'image/build.ts',
  'package-lock.json',
  'LICENSE',
  'Dockerfile',
])('a change of %s changes the image', (path) => {
  const before = fingerprint();
  change(path);
  expect(fingerprint()).not.toBe(before);
});

test('the last stage runs nothing, so that it needs no emulation for another processor', () => {
  const stages = DOCKERFILE.split(/^FROM /m).slice(1);
  expect(stages).toHaveLength(2);
  expect(stages[0]).toMatch(/^--platform=\$BUILDPLATFORM /);
  expect(stages[0]).toMatch(/^RUN /m);
  expect(stages[1]).not.toMatch(/^(RUN|ADD) /m);
  expect(stages[1]).toMatch(/^USER 1000:1000$/m);
});

test('the image’s Node is the one that all else runs on', () => {
  const [, version] = /^ARG NODE_IMAGE=.*\/node:([\d.]+)-/m.exec(DOCKERFILE) ?? [];
  expect(version).toBe(process.versions.node);
});
