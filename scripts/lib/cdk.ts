import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from './user-error.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface CdkRun {
  /** Without the program: `['deploy', '--exclusively', …]`. */
  readonly args: readonly string[];
  /** Whether its output goes to this process's; otherwise it is kept and comes with the error. @default false */
  readonly shown?: boolean;
}

/**
 * Runs the pinned CDK command line in this repository, on the Node that this process runs on, and resolves when it has ended well.
 * Fails with `UserError`, which has the end of what it said unless that was shown.
 */
export async function runCdk({ args, shown = false }: CdkRun): Promise<void> {
  const cli = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin/cdk');
  const child = spawn(process.execPath, [cli, ...args, '--no-notices'], {
    cwd: ROOT,
    // The app inherits this Node: cdk.json runs it by the name alone.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'],
  });
  let said = '';
  const keep = (chunk: Buffer): void => {
    said = `${said}${chunk.toString()}`.slice(-KEPT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code === 0) return;
  const what = `cdk ${args[0] ?? ''} ended with ${code === null ? 'a signal' : `exit code ${code}`}`;
  throw new UserError(shown ? `${what}; what it says is above.` : `${what}:\n${said.trim()}`);
}

/** Characters of its output that an error carries. */
const KEPT = 8_000;
