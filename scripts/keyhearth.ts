#!/usr/bin/env node
/**
 * The `keyhearth` command. What a command does is imported when it runs, so that help and mistakes are answered at once. A person's mistake is
 * one sentence on stderr and exit code 1 (2 where the command line itself is wrong); anything else is a fault of ours.
 */
const isPinnedNode = Number(process.versions.node.split('.')[0]) >= 26;
const entry = isPinnedNode ? './command.ts' : './keyhearth.mjs';
await import(new URL(entry, import.meta.url).href);
