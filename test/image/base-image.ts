import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { CACHE, run, tryRun } from './podman.ts';

/** Debian's suite of the Dockerfile's own base. */
const SUITE = 'bookworm';
/** What Node is linked with, and what npm needs of a system. */
const PACKAGES = [
  'base-files',
  'coreutils',
  'dash',
  'libacl1',
  'libatomic1',
  'libattr1',
  'libc6',
  'libgcc-s1',
  'libgmp10',
  'libpcre2-8-0',
  'libselinux1',
  'libstdc++6',
];
const NPM_COMMAND = `#!/bin/sh
exec /usr/local/bin/node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"
`;

/**
 * A stand-in for Docker's official Node image, for machines that can't pull it: Debian's packages, the pinned Node, this machine's npm,
 * and the authorities that this machine was told to trust besides the usual ones. Made once for each combination of these. Returns
 * its name.
 */
export function makeBaseImage(): string {
  const npm = npmFolder();
  const authorities = process.env['NODE_EXTRA_CA_CERTS'];
  const trusted = authorities === undefined ? '' : readFileSync(authorities, 'utf8');
  const key = createHash('sha256')
    .update(
      [SUITE, ...PACKAGES, process.version, readFileSync(join(npm, 'package.json'), 'utf8'), trusted].join(
        '\n',
      ),
    )
    .digest('hex')
    .slice(0, 12);
  const name = `localhost/keyhearth-test-node:${key}`;
  if (tryRun('podman', ['image', 'exists', name]).status === 0) return name;
  const context = mkdtempSync(join(tmpdir(), 'keyhearth-base-'));
  try {
    cpSync(debianArchive(), join(context, 'debian.tar'));
    cpSync(process.execPath, join(context, 'node'), { dereference: true });
    cpSync(npm, join(context, 'npm'), { recursive: true });
    writeFileSync(join(context, 'npm-command'), NPM_COMMAND, { mode: 0o755 });
    writeFileSync(join(context, 'authorities.crt'), trusted);
    const lines = [
      'FROM scratch',
      'ADD debian.tar /',
      'COPY node npm-command /usr/local/bin/',
      'COPY npm-command /usr/local/bin/npm',
      'COPY npm /usr/local/lib/node_modules/npm',
      'COPY authorities.crt /usr/local/share/authorities.crt',
      'ENV PATH=/usr/local/bin:/usr/bin:/bin',
      ...(trusted === '' ? [] : ['ENV NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.crt']),
    ];
    writeFileSync(join(context, 'Containerfile'), `${lines.join('\n')}\n`);
    run('podman', ['build', '--tag', name, context]);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  return name;
}

/** Its command is a link to bin/npm-cli.js in its folder. */
function npmFolder(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const command = folders.map((folder) => join(folder, 'npm')).find((path) => existsSync(path));
  if (command === undefined) throw new Error('npm is not on the PATH');
  return dirname(dirname(realpathSync(command)));
}

function debianArchive(): string {
  const hash = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 12);
  const archive = join(CACHE, `${SUITE}-${hash}.tar`);
  if (existsSync(archive)) return archive;
  const unfinished = `${archive}.${process.pid}.tar`;
  run('mmdebstrap', ['--variant=extract', `--include=${PACKAGES.join()}`, SUITE, unfinished]);
  renameSync(unfinished, archive);
  return archive;
}
