import { setTimeout as delay } from 'node:timers/promises';
import type { LocalZone } from '../local/local-file.ts';
import { ApiClient } from './api-client.ts';
import { type CreditBooks, readBooks } from './credit-books.ts';
import { Spending } from './credit-spending.ts';
import { type CreditVerdict, judge } from './credit-verdict.ts';
import { deleteKeys, type MadeKey, makeKey } from './made-keys.ts';
import { localShare, SpendCounters } from './spend-counters.ts';
import type { Outcome } from './spend-outcome.ts';
import { Trouble, type TroubleOptions } from './trouble.ts';
import { waitFor, WaitTimeout } from './wait.ts';

export interface CreditTrialOptions {
  readonly zone: LocalZone;
  /** Where the home's database is now. */
  readonly homeUrl: () => Promise<string>;
  readonly keys: number;
  /** Of each key. */
  readonly credits: number;
  readonly connections: number;
  /** Verifications a second, at most. */
  readonly rate: number;
  /** How long spending may take. */
  readonly seconds: number;
  readonly trouble: TroubleOptions;
  /** Aborting ends the spending; what was spent counts. */
  readonly signal: AbortSignal;
  readonly onProgress?: (admitted: number) => void;
}

/** In credits, where nothing else is said. */
export interface CreditTrial extends CreditVerdict {
  readonly keys: number;
  readonly books: CreditBooks;
  /** Verifications by what became of them. */
  readonly verifications: Readonly<Record<Outcome, number>>;
  /** Spends by the tasks' own counters; those of a killed task's last moments are missing. */
  readonly spends: Readonly<Record<string, number>>;
  /** Share of spends that asked nobody, from 0 to 1; null where the tasks don't tell. */
  readonly localShare: number | null;
  readonly kills: number;
  readonly pauses: number;
  readonly seconds: number;
  /** Every task refused every key in the end, and nothing was free any more. */
  readonly isExhausted: boolean;
}

const MAKING_LANES = 4;
/** Longer than the time after which a task tells what it has spent. */
const SETTLING_MS = 8_000;
const PROGRESS_MS = 500;
/** Then the platform is left alone, so that what is left can be spent. */
const TROUBLE_MS = 15_000;

/** Makes keys with credits, spends all of them in all regions at once, compares and deletes the keys. */
export async function runCreditTrial(options: CreditTrialOptions): Promise<CreditTrial> {
  const { zone, keys: count, credits } = options;
  const client = new ApiClient(zone.url, { rootKey: zone.rootKey, connections: MAKING_LANES });
  const keys: MadeKey[] = [];
  try {
    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < count && !options.signal.aborted) {
        started += 1;
        keys.push(await makeKey(client, zone, { name: 'credit trial', credits: { remaining: credits } }));
      }
    };
    await Promise.all(Array.from({ length: MAKING_LANES }, lane));
    return await spendAll(options, keys);
  } finally {
    await deleteKeys(client, keys);
    await client.close();
  }
}

async function spendAll(options: CreditTrialOptions, keys: readonly MadeKey[]): Promise<CreditTrial> {
  const { zone, connections, rate, credits, seconds, onProgress } = options;
  const beganMs = performance.now();
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(seconds * 1_000)]);
  const spending = new Spending({ zone, keys, connections, rate, signal });
  const trouble = new Trouble(options.trouble);
  const counters = new SpendCounters(zone);
  const progress = setInterval(() => onProgress?.(spending.outcomes.admitted), PROGRESS_MS);
  try {
    await counters.start();
    trouble.start();
    const first = spending.exhaust();
    try {
      await Promise.race([first, delay(TROUBLE_MS, undefined, { ref: false })]);
    } finally {
      await trouble.stop();
    }
    await first;
    const { books, isExhausted } = await spendRest(spending, signal, options, keys);
    const spends = await counters.stop();
    const { admittedOf, outcomes } = spending;
    return {
      keys: keys.length,
      ...judge({
        creditsPerKey: credits,
        keys: keys.length,
        admittedOf,
        unknown: outcomes.unknown,
        kills: trouble.kills,
        books,
      }),
      books,
      verifications: outcomes,
      spends,
      localShare: localShare(spends),
      kills: trouble.kills,
      pauses: trouble.pauses,
      seconds: (performance.now() - beganMs) / 1_000,
      isExhausted,
    };
  } finally {
    clearInterval(progress);
    await counters.stop();
    await spending.close();
  }
}

/** With everything whole again: until every task refuses every key, nothing is free and no lease is expected back. */
async function spendRest(
  spending: Spending,
  signal: AbortSignal,
  { homeUrl }: CreditTrialOptions,
  keys: readonly MadeKey[],
): Promise<{ readonly books: CreditBooks; readonly isExhausted: boolean }> {
  const url = await homeUrl();
  const keyIds = keys.map(({ keyId }) => keyId);
  for (;;) {
    const admitted = await spending.exhaust();
    const books = await settledBooks(url, keyIds);
    const isExhausted = admitted === 0 && books.free === 0 && books.openLeases === 0;
    if (signal.aborted || isExhausted) return { books, isExhausted: isExhausted && !signal.aborted };
  }
}

/** The books once no lease is open any more, or as they are after a while. */
async function settledBooks(url: string, keyIds: readonly string[]): Promise<CreditBooks> {
  try {
    return await waitFor(
      async () => {
        const books = await readBooks(url, keyIds);
        return books.openLeases === 0 && books;
      },
      { what: 'leases to be settled', timeoutMs: SETTLING_MS, intervalMs: 250 },
    );
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    return readBooks(url, keyIds);
  }
}
