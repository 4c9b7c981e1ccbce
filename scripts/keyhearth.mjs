#!/usr/bin/env node
// Entry for any Node from 20 on, hence plain JavaScript: runs command.ts on the Node that npm brought for this repository.
import { fileURLToPath } from 'node:url';
import { findPinnedNode, missingNodeSentence, runPinned } from './pinned-node.mjs';

const WANTED_MAJOR = 26;

if (Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR) {
  await import('./command.ts');
} else {
  const node = findPinnedNode();
  if (node === undefined) {
    process.stderr.write(`${missingNodeSentence()}\n`);
    process.exitCode = 1;
  } else
    runPinned(node, 'node', [
      fileURLToPath(new URL('command.ts', import.meta.url)),
      ...process.argv.slice(2),
    ]);
}
