import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The output of a child process, kept in a file of bounded size: beyond `maxBytes` the file becomes `<path>.1` (replacing the one before)
 * and a new one begins. A log never stops what it is about: where it can't be written (a full disk), lines are dropped and counted.
 */
export class BoundedLog {
  readonly #path: string;
  readonly #maxBytes: number;
  #fd: number | undefined;
  #bytes = 0;
  #dropped = 0;

  constructor(path: string, maxBytes = 4 * 1024 * 1024) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Chunks that could not be written so far. */
  get dropped(): number {
    return this.#dropped;
  }

  write(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      if (this.#fd !== undefined && this.#bytes + bytes.length > this.#maxBytes) this.#rotate();
      this.#fd ??= this.#open();
      writeSync(this.#fd, bytes);
      this.#bytes += bytes.length;
    } catch {
      this.#dropped += 1;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true });
    const fd = openSync(this.#path, 'a', 0o600);
    this.#bytes = fstatSync(fd).size;
    return fd;
  }

  #rotate(): void {
    this.close();
    renameSync(this.#path, `${this.#path}.1`);
  }
}
