import { Unkey } from '@unkey/api';
import { type Answer, post } from './answer.ts';
import { expectEnvelope } from './envelope.ts';
import type { ContractTarget, RootKeyState } from './target.ts';

export interface CallOptions {
  /** @default the workspace's own */
  readonly rootKey?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default where the target's paths lead */
  readonly url?: string;
}

export interface Key {
  readonly keyId: string;
  readonly key: string;
}

/** Calls that each region decides by itself; all others run at home. */
const DECIDED_HERE = new Set(['keys.verifyKey', 'ratelimit.limit', 'ratelimit.multiLimit']);

/** A workspace of one test's own, and a client of it. */
export class Workspace {
  readonly target: ContractTarget;
  readonly id: string;
  readonly rootKey: string;
  /** The last revision that a write answered; null: none yet. */
  #revision: string | null = null;
  #apiId: Promise<string> | undefined;

  constructor(target: ContractTarget, id: string, rootKey: string) {
    this.target = target;
    this.id = id;
    this.rootKey = rootKey;
  }

  /** For a call of another workspace that is to see all that was written here. */
  get seen(): CallOptions {
    return this.#revision === null ? {} : { headers: { 'keyhearth-min-revision': this.#revision } };
  }

  /** One call. Where verifications go elsewhere than writes, they ask for what was written before. */
  async call(verb: string, body: unknown, options: CallOptions = {}): Promise<Answer> {
    const { paths, urls, settled } = this.target;
    const isDecidedHere = DECIDED_HERE.has(verb);
    const isElsewhere = options.url === undefined && isDecidedHere && paths.verify !== paths.manage;
    const headers: Record<string, string> = { ...options.headers };
    if (isElsewhere && this.#revision !== null) {
      if (verb === 'keys.verifyKey') headers['keyhearth-min-revision'] ??= this.#revision;
      else await settled(this.#revision);
    }
    const url = options.url ?? urls[isDecidedHere ? paths.verify : paths.manage];
    if (url === null) throw new Error('this target has one region');
    const { rootKey = this.rootKey } = options;
    const answer = await post(url, verb, rootKey, body, headers);
    expectEnvelope(answer);
    this.#revision = answer.headers.get('keyhearth-revision') ?? this.#revision;
    return answer;
  }

  /** What a call answers that has to succeed. */
  async must(verb: string, body: unknown, options: CallOptions = {}): Promise<Answer['data']> {
    const { status, data, body: whole } = await this.call(verb, body, options);
    if (status !== 200) throw new Error(`${verb} answered ${status}: ${JSON.stringify(whole)}`);
    return data;
  }

  /** The workspace's first API, made when it is first asked for. */
  async apiId(): Promise<string> {
    this.#apiId ??= this.must('apis.createApi', { name: 'contract' }).then(({ apiId }) => String(apiId));
    return await this.#apiId;
  }

  async createKey(input: Readonly<Record<string, unknown>> = {}): Promise<Key> {
    const { keyId, key } = await this.must('keys.createKey', { apiId: await this.apiId(), ...input });
    return { keyId: String(keyId), key: String(key) };
  }

  async verify(
    { key }: Pick<Key, 'key'>,
    input: Readonly<Record<string, unknown>> = {},
    options: CallOptions = {},
  ): Promise<Answer['data']> {
    return await this.must('keys.verifyKey', { key, ...input }, options);
  }

  async getKey({ keyId }: Pick<Key, 'keyId'>): Promise<Answer['data']> {
    return await this.must('keys.getKey', { keyId });
  }

  async rootKeyWith(permissions: readonly string[], state: RootKeyState = {}): Promise<string> {
    return await this.target.rootKey(this.id, permissions, state);
  }

  /** Changes columns of the workspace's own row, which no call can. */
  async alter(columns: Readonly<Record<string, unknown>>): Promise<void> {
    const sets = Object.keys(columns).map((column, index) => `${column} = $${index + 2}`);
    await this.target.sql(async (transaction) => {
      await transaction.query(`update workspaces set ${sets.join(', ')} where id = $1`, [
        this.id,
        ...Object.values(columns),
      ]);
      transaction.changed('workspace', this.id);
    });
  }

  /** The official client; it never tries again by itself. */
  client(rootKey = this.rootKey): Unkey {
    const serverURL = this.target.urls[this.target.paths.manage];
    if (serverURL === null) throw new Error('this target has one region');
    return new Unkey({ serverURL, rootKey, retryConfig: { strategy: 'none' } });
  }
}
