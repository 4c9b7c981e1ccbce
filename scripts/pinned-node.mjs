#!/usr/bin/env node
// Runs a command on the Node that npm brought for this repository: `node scripts/pinned-node.mjs <command> [arguments]`. A command that
// is a package's own (vitest, tsc, …) is found in node_modules/.bin; `node` is the pinned Node itself.
//
// npm 11 links the pinned Node into node_modules/.bin, where npm scripts find it first; npm 10 doesn't make that link where several
// optional packages offer a command of the same name. So it is looked for in its package. Plain JavaScript, for any Node from 20 on.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));

/** Path of the pinned Node's binary, or undefined where npm didn't bring one. */
export function findPinnedNode() {
  const { platform, arch } = process;
  const names = [`node-${platform}-${arch}`, `node-bin-${platform}-${arch}`];
  return names.map((name) => `${modules}${name}/bin/node`).find((path) => existsSync(path));
}

/** Why there is none, and what to do. */
export function missingNodeSentence() {
  if (!existsSync(modules)) return 'The packages are not installed: run `npm ci` first.';
  const { platform, arch } = process;
  return `There is no pinned Node for ${platform} ${arch} in node_modules: run \`npm ci\` without --omit=optional. Supported are Linux and macOS on x64 and arm64.`;
}

/** Runs a command line on the pinned Node and ends this process as it ended. */
export function runPinned(node, command, args) {
  const path = [dirname(node), `${modules}.bin`, process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn(command === 'node' ? node : command, args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  // This one waits for the other to end in order, and passes on what it is told. Ctrl-C reaches both from the terminal; a second one
  // within a second counts as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${command} could not be run: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const node = findPinnedNode();
  const [command = 'node', ...args] = process.argv.slice(2);
  if (node === undefined) {
    process.stderr.write(`${missingNodeSentence()}\n`);
    process.exitCode = 1;
  } else runPinned(node, command, args);
}
