#!/usr/bin/env node
// Entry for any Node from 20 on, hence plain JavaScript: runs keyhearth.ts on the Node that npm brought for this repository. Under
// `npm start` and `npx keyhearth` that is the one which runs this already.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const wantedMajor = 26;
const entry = fileURLToPath(new URL('keyhearth.ts', import.meta.url));
const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= wantedMajor) {
  await import('./keyhearth.ts');
} else if (existsSync(pinned)) {
  const child = spawn(pinned, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; this one waits for the other to end in order, and passes on what only it was sent.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
} else {
  process.stderr.write(
    `Keyhearth needs Node ${wantedMajor}, which npm brings as an optional dependency, and this is ${process.version}: run \`npm ci\` without --omit=optional.\n`,
  );
  process.exitCode = 1;
}
