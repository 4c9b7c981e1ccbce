import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { readJson, writeJson } from '../lib/json-file.ts';
import { endProcesses, identify, isRunning, type ProcessIdentity } from '../lib/processes.ts';
import { UserError } from '../lib/user-error.ts';
import { repository } from './places.ts';

/** `.keyhearth/run.json`: who runs, for whoever comes after us. */
interface RunFile {
  readonly parent: ProcessIdentity;
  readonly processes: readonly Registered[];
}

interface Registered extends ProcessIdentity {
  readonly what: string;
  /** How it is asked to end. */
  readonly signal: 'SIGTERM' | 'SIGINT';
}

/**
 * Knows every process of the platform, in two places that outlive its parent: the guard process, which ends them as soon as the parent is
 * gone, and `run.json`, from which the next start clears what even the guard could not.
 */
export class ProcessRegister {
  readonly #file: string;
  readonly #parent: ProcessIdentity;
  #guard: ChildProcess | undefined;
  #isClosing = false;
  #isEnding = false;
  #known: Registered[] = [];

  constructor(runFile: string) {
    this.#file = runFile;
    const self = identify(process.pid);
    if (self === undefined) throw new Error('this process is not to be found');
    this.#parent = self;
  }

  /**
   * Claims the platform's folder for this process and ends what a crashed run left. Fails with `UserError` where another platform runs on it.
   * Returns how many processes had to be ended.
   */
  async claim(): Promise<number> {
    // Written by #write only.
    const before = readJson(this.#file) as RunFile | undefined;
    if (before !== undefined && before.parent.pid !== process.pid && isRunning(before.parent)) {
      throw new UserError(
        `The platform runs already (process ${before.parent.pid}): use it, stop it with Ctrl-C where it was started, or \`kill ${before.parent.pid}\`.`,
      );
    }
    const left = (before?.processes ?? []).filter(isRunning);
    await Promise.all(left.map((entry) => endProcesses([entry], entry.signal, 5_000)));
    this.#write();
    return left.length;
  }

  startGuard(): void {
    // Its own session, and none of our output: it has to live on when all of that is gone.
    const guard = spawn(process.execPath, [join(repository, 'scripts', 'local', 'guard.ts')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    guard.on('error', () => undefined);
    // Writing to a guard that has just died fails; its successor is told everything anew.
    guard.stdin.on('error', () => undefined);
    guard.once('exit', () => {
      if (!this.#isClosing) setTimeout(() => this.startGuard(), 100).unref();
    });
    this.#guard = guard;
    for (const entry of this.#known) this.#tell(entry);
  }

  /** A process was started; `signal` is how it is asked to end. */
  add(identity: ProcessIdentity, what: string, signal: Registered['signal']): void {
    const entry = { ...identity, what, signal };
    this.#known = [...this.#known.filter(isRunning), entry];
    this.#tell(entry);
    this.#write();
    // The start goes on while it is being interrupted, and starts one thing more.
    if (this.#isEnding) void endProcesses([entry], entry.signal, 5_000);
  }

  /** Everything was stopped: the guard goes as soon as it sees that nothing is left. */
  close(): void {
    this.#isClosing = true;
    this.#guard?.stdin?.end();
    this.#guard?.unref();
  }

  /** Asks everything that runs to end, all at once, and returns when it has: for an interrupted start. */
  async endAll(): Promise<void> {
    this.#isEnding = true;
    for (let left = this.#known.filter(isRunning); left.length > 0; left = this.#known.filter(isRunning))
      await Promise.all(left.map((entry) => endProcesses([entry], entry.signal, 5_000)));
  }

  /** SIGKILL for everything that runs, at once: for a second Ctrl-C. */
  async killAll(): Promise<void> {
    await endProcesses(this.#known.filter(isRunning), 'SIGKILL', 2_000);
  }

  #tell(entry: Registered): void {
    this.#guard?.stdin?.write(`${JSON.stringify(entry)}\n`);
  }

  #write(): void {
    writeJson(this.#file, { parent: this.#parent, processes: this.#known } satisfies RunFile);
  }
}
