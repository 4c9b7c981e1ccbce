import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { thirdPartyText } from './third-party.ts';

/**
 * `node image/build.ts <folder>`: what the image holds in /app. One file for each entry, with what several share in chunks; the
 * migrations; the licences. Fails where something would be missing at run time or doesn't belong there.
 */
const ROOT = resolve(import.meta.dirname, '..');
const ENTRIES = [
  'service/main.ts',
  'service/prepare.ts',
  'service/migrate.ts',
  'service/bootstrap.ts',
  'service/root-key.ts',
  'service/vault-key.ts',
  'service/tasks.ts',
  'service/feed-trial.ts',
  'image/healthcheck.ts',
] as const;
/**
 * What stays an import at run time: a task in a container is told its topology by its settings and never asks for the file; pg asks for
 * its native client, and the client of Valkey for a digest's hash, only where somebody wants that.
 */
const EXTERNAL = ['*/regions.config.ts', 'pg-native', '@node-rs/xxhash'] as const;
const OWN = /^(service|topology|image)\//;
const PACKAGES = /^node_modules\//;
const MIGRATION = /^\d{4}_[a-z0-9]+(-[a-z0-9]+)*\.sql$/;

async function main(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...ENTRIES],
    outdir: folder,
    entryNames: '[name]',
    chunkNames: 'chunk-[hash]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    external: [...EXTERNAL],
    // Names stay: a stack trace can be read as it is. The maps lie beside the code for whoever wants exact lines.
    minifySyntax: true,
    keepNames: false,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    // Packages in CommonJS call require for Node's own modules; in an ES module there is none.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
    },
    logLevel: 'warning',
  });
  check(metafile);
  copyMigrations(join(ROOT, 'service/store/migrations'), join(folder, 'migrations'));
  copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'THIRD-PARTY.txt'), thirdPartyText(ROOT, Object.keys(metafile.inputs)));
  process.stdout.write(`${ENTRIES.length} entries in ${folder}\n`);
}

function copyMigrations(from: string, to: string): void {
  mkdirSync(to);
  for (const file of readdirSync(from)) {
    if (!MIGRATION.test(file)) throw new Error(`no migration: ${join(from, file)}`);
    copyFileSync(join(from, file), join(to, file));
  }
}

/** A container shows a wrong bundle only when it runs, so it is looked at here. */
function check({ inputs, outputs }: Metafile): void {
  const foreign = Object.keys(inputs).filter((path) => !OWN.test(path) && !PACKAGES.test(path));
  if (foreign.length > 0) throw new Error(`not part of the service: ${foreign.join(', ')}`);
  const native = Object.keys(inputs).filter((path) => path.endsWith('.node'));
  if (native.length > 0) throw new Error(`for one processor only: ${native.join(', ')}`);
  const missing = Object.values(outputs)
    .flatMap((output) => output.imports)
    .filter(({ path, external }) => external === true && !isBuiltin(path) && !isLeftOut(path));
  if (missing.length > 0) throw new Error(`not bundled: ${missing.map(({ path }) => path).join(', ')}`);
}

function isLeftOut(path: string): boolean {
  return EXTERNAL.some((one) => basename(one) === basename(path));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('use: build.ts <folder>');
await main(resolve(folder));
