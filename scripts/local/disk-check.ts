import { statfsSync } from 'node:fs';
import { UserError } from '../lib/user-error.ts';

const megabyte = 1024 * 1024;
/** A new database with its log; an old one needs room to go on. */
const newNodeMb = 100;
const oldNodeMb = 20;

/** How much room a start needs, MB. */
export function neededMb(newNodes: number, oldNodes: number): number {
  return newNodes * newNodeMb + oldNodes * oldNodeMb;
}

/** Fails with `UserError` where the disk under `path` has less room than the databases need. */
export function checkDisk(path: string, newNodes: number, oldNodes: number): void {
  const { bavail, bsize } = statfsSync(path);
  const freeMb = Math.floor((bavail * bsize) / megabyte);
  const needed = neededMb(newNodes, oldNodes);
  if (freeMb >= needed) return;
  throw new UserError(
    `The disk under ${path} is too full: ${freeMb} MB are free and ${newNodes + oldNodes} databases need ${needed} MB; make room, or start fewer zones with --zone.`,
  );
}
