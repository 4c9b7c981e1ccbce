import { randomBytes } from 'node:crypto';
import type { OthersCount, Reservation, Reserved, SharedCounters, WindowCount } from '../verify/ports.ts';
import { EXCHANGE, RELEASE, RESERVE, type Script } from './scripts.ts';

/** Sends a command to the node that has the key with that tag. Fails at once where that can't be done now. */
export interface CommandSender {
  send(tag: string, key: string, args: readonly string[]): Promise<unknown>;
  /** Names that node. */
  nodeOf?(tag: string): string;
}

export interface ValkeyCountersOptions {
  readonly connection: CommandSender;
  /** Names this process among those of its region; new for each. @default a random text */
  readonly processId?: string;
  /** A whole exchange. @default 1000 */
  readonly exchangeTimeoutMs?: number;
}

const EXCHANGE_TIMEOUT_MS = 1000;
/** Counters are kept so much longer than they can matter, for what is on its way. */
const SLACK_MS = 2000;

/**
 * The counters that the tasks of a region share, in its Valkey, with one script for each question. Keys are `kh:{name}:<start>` and
 * `kh:{name}:x`; the braces keep what belongs to a name in one slot. Nothing there says whose counter it is.
 */
export class ValkeyCounters implements SharedCounters {
  readonly #connection: CommandSender;
  readonly #processId: string;
  readonly #exchangeTimeoutMs: number;
  /** Grows with each exchange, so that the server can tell what came late. */
  #told = 0;

  constructor(options: ValkeyCountersOptions) {
    this.#connection = options.connection;
    this.#processId = options.processId ?? randomBytes(6).toString('base64url');
    this.#exchangeTimeoutMs = options.exchangeTimeoutMs ?? EXCHANGE_TIMEOUT_MS;
  }

  /** All counts are sent in one go. Never fails: null for each that had no answer. */
  exchange(counts: readonly WindowCount[]): Promise<readonly (OthersCount | null)[]> {
    if (counts.length === 0) return Promise.resolve([]);
    this.#told += 1;
    const number = String(this.#told);
    const { promise, resolve } = Promise.withResolvers<readonly (OthersCount | null)[]>();
    const answers: (OthersCount | null)[] = counts.map(() => null);
    let missing = counts.length;
    const finish = (): void => {
      clearTimeout(timer);
      // A copy: what is answered later changes nothing for who has gone on.
      resolve([...answers]);
    };
    const timer = setTimeout(finish, this.#exchangeTimeoutMs);
    for (const [index, count] of counts.entries()) {
      const settle = (answer: OthersCount | null): void => {
        answers[index] = answer;
        missing -= 1;
        if (missing === 0) finish();
      };
      this.#exchangeOne(count, number).then(settle, () => settle(null));
    }
    return promise;
  }

  async reserve({ key, cost, limit, durationMs }: Reservation): Promise<Reserved> {
    const args = [String(cost), String(limit), String(durationMs), String(SLACK_MS)];
    const [taken, used, startMs] = await this.#call(RESERVE, key, [exactKey(key)], args);
    return { taken: taken === 1, used: wholeNumber(used), startMs: wholeNumber(startMs) };
  }

  async release({ key, cost, durationMs }: Reservation, startMs: number): Promise<void> {
    const args = [String(cost), String(startMs), String(durationMs)];
    await this.#call(RELEASE, key, [exactKey(key)], args);
  }

  /** The node that has it: a node answers for all its counters or for none. */
  partOf(key: string): string {
    return this.#connection.nodeOf?.(key) ?? '';
  }

  async #exchangeOne(count: WindowCount, number: string): Promise<OthersCount> {
    const { key, startMs, durationMs, units, unitsBefore } = count;
    const keys = [windowKey(key, startMs), windowKey(key, startMs - durationMs)];
    const [others, othersBefore] = await this.#call(EXCHANGE, key, keys, [
      this.#processId,
      number,
      String(units),
      String(unitsBefore),
      String(2 * durationMs + SLACK_MS),
      String(durationMs + SLACK_MS),
    ]);
    return { units: wholeNumber(others), unitsBefore: wholeNumber(othersBefore) };
  }

  /** A server that doesn't know the script, a new one or one that was emptied, is told its text. */
  async #call(
    script: Script,
    tag: string,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<readonly unknown[]> {
    const [first = ''] = keys;
    const rest = [String(keys.length), ...keys, ...args];
    const answer = await this.#connection
      .send(tag, first, ['EVALSHA', script.sha1, ...rest])
      .catch((error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return this.#connection.send(tag, first, ['EVAL', script.text, ...rest]);
      });
    return Array.isArray(answer) ? answer : [answer];
  }
}

function windowKey(name: string, startMs: number): string {
  return `kh:{${name}}:${startMs.toString(36)}`;
}

function exactKey(name: string): string {
  return `kh:{${name}}:x`;
}

/** Anything else would be another server's answer, or another script's. */
function wholeNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new Error('an answer that is no whole number');
  return value;
}
