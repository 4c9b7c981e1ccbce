import type { Database } from './ports.ts';

/**
 * Ends the texts that were kept of keys whose API is deleted: nobody can read them any more, and they needn't wait for whoever could
 * decrypt them. `recoverable_keys` of a deleted API says that this is still to be done. An API that was deleted just now waits: a
 * call that saw it before may still be making a key in it, for a few seconds.
 */
const FIND_API = `
select id from apis where recoverable_keys and deleted_at < now() - make_interval(secs => $1::float8 / 1000) order by id limit 1`;

/** Keys of the API in the order of their ids, so that none is read twice, whether its text was kept or not. */
const PRUNE_TEXTS = `
with keys_of_api as materialized (
  select id from keys where api_id = $1 and deleted_at is null and id > $2 order by id limit $3
), gone as (
  delete from key_texts where key_id = any (array(select id from keys_of_api)) returning 1
)
select (select max(id) from keys_of_api) as last, (select count(*) from keys_of_api)::integer as walked,
  (select count(*) from gone)::integer as rows`;

const DONE = 'update apis set recoverable_keys = false where id = $1 and deleted_at is not null';

/** Longer than any write takes. */
const SETTLED_MS = 60_000;

interface Pruned {
  readonly last: string | null;
  readonly walked: number;
  readonly rows: number;
}

/** Where the walk over the keys of a deleted API stands. */
export class TextWalk {
  readonly #database: Database;
  readonly #batch: number;
  #apiId: string | null = null;
  #after = '';

  constructor(database: Database, batch: number) {
    this.#database = database;
    this.#batch = batch;
  }

  /** One batch of keys; returns how many texts went, null where no deleted API is left to look at. */
  async next(): Promise<number | null> {
    const apiId = this.#apiId ?? (await this.#nextApi());
    if (apiId === null) return null;
    const values = [apiId, this.#after, this.#batch];
    const [pruned] = await this.#database.query<Pruned>(PRUNE_TEXTS, values);
    if (pruned === undefined || pruned.walked < this.#batch) {
      await this.#database.query(DONE, [apiId]);
      this.#apiId = null;
    } else {
      this.#apiId = apiId;
      this.#after = pruned.last ?? this.#after;
    }
    return pruned?.rows ?? 0;
  }

  async #nextApi(): Promise<string | null> {
    this.#after = '';
    const [api] = await this.#database.query<{ id: string }>(FIND_API, [SETTLED_MS]);
    return api?.id ?? null;
  }
}
