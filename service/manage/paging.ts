import type { Page, PageInput } from './types.ts';

/** Items of a page where the call doesn't say. */
const PAGE_LIMIT = 100;

/** How many rows a statement asks for: one more than the page has, which tells whether another page follows. */
export function rowsOfPage({ limit = PAGE_LIMIT }: PageInput): number {
  return limit + 1;
}

interface PageRow {
  readonly id: string;
  /** Of a statement that bounds what its rows hold together: true where it left out rows that a page of this limit would have. */
  readonly cut?: boolean;
}

/** Makes the page of what the statement returned, in the order of ids. */
export function toPage<Row extends PageRow, T>(
  { limit = PAGE_LIMIT }: PageInput,
  rows: readonly Row[],
  view: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const follows = rows.length > limit || last?.cut === true;
  return { items: shown.map((row) => view(row)), cursor: follows && last !== undefined ? last.id : null };
}
