/**
 * Who is writer: a counter that each take-over raises, and a random id, so that two regions that took over without
 * knowing of each other are told apart.
 */
export interface Epoch {
  readonly counter: number;
  /** 8 characters, [0-9a-z]. */
  readonly id: string;
}

/** A write's place in the history of its zone: the transaction `xid` of the writer `epoch`. */
export interface Revision {
  readonly epoch: Epoch;
  readonly xid: bigint;
}

export function sameEpoch(a: Epoch, b: Epoch): boolean {
  return a.counter === b.counter && a.id === b.id;
}

/**
 * Orders epochs: by counter, then by id, so that of two that took over with the same counter all regions pick the same.
 * Returns a negative number, 0 or a positive number.
 */
export function compareEpochs(a: Epoch, b: Epoch): number {
  if (a.counter !== b.counter) return a.counter - b.counter;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** The text of a revision in headers and bodies: `<epoch counter>.<epoch id>.<transaction id>`. */
export function formatRevision(revision: Revision): string {
  return `${revision.epoch.counter}.${revision.epoch.id}.${revision.xid}`;
}

const REVISION = /^(\d{1,9})\.([0-9a-z]{8})\.(\d{1,19})$/;

/** Returns undefined where the text is no revision. */
export function parseRevision(text: string): Revision | undefined {
  const match = REVISION.exec(text);
  if (match === null) return undefined;
  const [, counter, id, xid] = match;
  if (counter === undefined || id === undefined || xid === undefined) return undefined;
  return { epoch: { counter: Number(counter), id }, xid: BigInt(xid) };
}
