import type { Rows } from '../manage/ports.ts';
import { readCounted, readMemberRegions } from './member-rows.ts';
import type { Log } from './ports.ts';

export interface MembersOptions {
  readonly region: string;
  /** Regions that the configuration names; the own one may be among them. */
  readonly configured: readonly string[];
  /** On the instance that this task reads from now. */
  readonly reader: () => Rows;
  /** Monotonic ms. */
  readonly monotonicMs: () => number;
  readonly log: Log;
  /** Hears of the other regions when they have become others. */
  readonly onChange?: (others: readonly string[]) => void;
}

/** What one task knows of the regions of its zone, by where it knows it from. */
export interface MemberFacts {
  readonly region: string;
  readonly configured: readonly string[];
  /** What the zone's data says: regions with a task that hasn't stopped, and the home's. */
  readonly shown: readonly string[];
  /** Known to be home by other ways, or called a short while ago. */
  readonly heard: readonly string[];
}

/** The same as KEYHEARTH_REGION allows: a URL is made from it. */
const REGION = /^[a-z][a-z0-9-]{0,31}$/;
/** More regions than any zone has: a limit for what wrong data can cause. */
const MAX_OTHERS = 32;
/** A task at home asks all others each second, so whoever has been silent for so long isn't there. */
const HEARD_FOR_MS = 60_000;
const REFRESH_MS = 2000;

export function isRegionName(text: string): boolean {
  return REGION.test(text);
}

/** The other regions of the zone; pure. Those that are named come first, so that a flood of wrong ones pushes none of them out. */
export function otherRegions({ region, configured, shown, heard }: MemberFacts): readonly string[] {
  const all = new Set([...configured, ...heard.toSorted(), ...shown.toSorted()].filter(isRegionName));
  all.delete(region);
  return [...all].slice(0, MAX_OTHERS);
}

/**
 * Which regions this task asks and reaches, where the configuration doesn't name them all: found in the zone's replicated data, in
 * what the own writer says, and by who calls. It only has to be large enough: asking a region that is gone costs a moment, not asking
 * one that is home could make two homes.
 */
export class Members {
  readonly #options: MembersOptions;
  readonly #heardAtMs = new Map<string, number>();
  #shownByReader: readonly string[] = [];
  #isCounted: boolean | null = null;
  #shownByWriter: readonly string[] = [];
  #homes: readonly string[] = [];
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<boolean> | null = null;
  #told: readonly string[] = [];

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  get others(): readonly string[] {
    const { region, configured, monotonicMs } = this.#options;
    const since = monotonicMs() - HEARD_FOR_MS;
    for (const [name, atMs] of this.#heardAtMs) if (atMs < since) this.#heardAtMs.delete(name);
    return otherRegions({
      region,
      configured,
      shown: [...this.#shownByReader, ...this.#shownByWriter],
      heard: [...this.#homes, ...this.#heardAtMs.keys()],
    });
  }

  /** Whether home counts the own region, by what the own reader showed last; null: it has shown nothing yet. */
  get isCounted(): boolean | null {
    return this.#isCounted;
  }

  /** A task of that region has signed a call. */
  heard(region: string): void {
    if (region === this.#options.region || !isRegionName(region)) return;
    if (!this.#heardAtMs.has(region) && this.#heardAtMs.size >= MAX_OTHERS) return;
    this.#heardAtMs.set(region, this.#options.monotonicMs());
  }

  /** Regions that are home, or were when they were last heard of. */
  learnHomes(regions: readonly string[]): void {
    this.#homes = regions;
    this.#tell();
  }

  /** Reads what the own writer endpoint shows; null: it accepts no writes, and counts for nothing. Fails as the database does. */
  async readWriter(writer: Rows | null): Promise<void> {
    this.#shownByWriter = writer === null ? [] : await readMemberRegions(writer);
    this.#tell();
  }

  /**
   * Reads what the own reader shows, where that is long enough ago. Never fails: what was read before holds on. False: it was tried,
   * and there was no answer.
   */
  async refresh(): Promise<boolean> {
    const { monotonicMs } = this.#options;
    if (monotonicMs() - this.#refreshedAtMs < REFRESH_MS) return true;
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
    return await this.#refreshing;
  }

  async #read(): Promise<boolean> {
    const { region, reader, monotonicMs, log } = this.#options;
    try {
      const rows = reader();
      this.#shownByReader = await readMemberRegions(rows);
      this.#isCounted = await readCounted(rows, region);
      this.#refreshedAtMs = monotonicMs();
      this.#tell();
      return true;
    } catch (error) {
      log.warn({ err: error }, 'the regions of the zone could not be read');
      return false;
    }
  }

  #tell(): void {
    const { others } = this;
    if (others.join(' ') === this.#told.join(' ')) return;
    this.#options.log.info({ before: this.#told, now: others }, 'the zone has other regions now');
    this.#told = others;
    this.#options.onChange?.(others);
  }
}
