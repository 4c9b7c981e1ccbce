import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `node reduce-manifest.ts <from> <to>`: writes package.json and package-lock.json with only what the bundle is made of, so that the
 * image's first stage doesn't load CDK, Postgres and a second Node. Versions and checksums stay those of the lockfile. It imports
 * nothing but Node's own: it runs before anything is installed.
 */
interface Manifest {
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Of the tools, only the one that makes the bundle. */
const TOOL = 'esbuild';

function reduce(manifest: Manifest): void {
  const version = manifest.devDependencies?.[TOOL];
  if (version === undefined) throw new Error(`${TOOL} is not among the devDependencies of package.json`);
  manifest.devDependencies = { [TOOL]: version };
  delete manifest.optionalDependencies;
}

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('use: reduce-manifest.ts <from> <to>');
// npm's own formats.
const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest;
const lockfile = JSON.parse(readFileSync(join(from, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Manifest>>;
};
const root = lockfile.packages[''];
if (root === undefined) throw new Error('package-lock.json has no entry for the project itself');
reduce(manifest);
reduce(root);
writeFileSync(join(to, 'package.json'), JSON.stringify(manifest));
writeFileSync(join(to, 'package-lock.json'), JSON.stringify(lockfile));
