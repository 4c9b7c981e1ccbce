import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A position in the write-ahead log, in bytes. */
export type Lsn = bigint;

export interface ControlFile {
  readonly systemIdentifier: bigint;
  readonly state: 'shut-down' | 'other';
  /** Where the last checkpoint record stands; after a clean stop nothing follows it. */
  readonly checkpoint: Lsn;
}

/**
 * Reads what a stopped cluster says of itself from `global/pg_control` (the package brings no pg_controldata). The layout up to the
 * field read here hasn't changed since Postgres 9.3; little-endian, as all machines we run on are.
 */
export function readControlFile(dataDir: string): ControlFile {
  const bytes = readFileSync(join(dataDir, 'global', 'pg_control'));
  const state = bytes.readUInt32LE(16);
  return {
    systemIdentifier: bytes.readBigUInt64LE(0),
    // 1: a primary that was stopped cleanly.
    state: state === 1 ? 'shut-down' : 'other',
    checkpoint: bytes.readBigUInt64LE(32),
  };
}

/** `0/3000148` → bytes. */
export function parseLsn(text: string): Lsn {
  const [high, low] = text.split('/');
  if (high === undefined || low === undefined)
    throw new Error(`not a position in the write-ahead log: ${text}`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
