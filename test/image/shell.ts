import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** One bash that gets commands bit by bit, as a person's terminal does: variables and functions last from one to the next. */
export class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  #said = '';
  #changed: () => void = () => {};

  constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.#child = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env: environment });
    const keep = (chunk: Buffer): void => {
      this.#said += chunk.toString();
      this.#changed();
    };
    this.#child.stdout.on('data', keep);
    this.#child.stderr.on('data', keep);
    this.#child.on('close', () => this.#changed());
    this.#child.stdin.write('set -euo pipefail\n');
  }

  /** Runs commands to their end; returns what they said. Fails with it where one of them failed, for the shell ends then. */
  async run(commands: string): Promise<string> {
    const mark = `end-${randomBytes(8).toString('hex')}`;
    const from = this.#said.length;
    this.#child.stdin.write(`${commands}\necho ${mark}\n`);
    for (;;) {
      const said = this.#said.slice(from);
      const end = said.indexOf(mark);
      if (end !== -1) return said.slice(0, end);
      if (this.#child.exitCode !== null)
        throw new Error(`exit code ${this.#child.exitCode} of\n${commands}\n${said}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
