import { type Dispatcher, Pool } from 'undici';
import { UserError } from './user-error.ts';

export interface ApiClientOptions {
  readonly rootKey: string;
  /** One request at a time on each. */
  readonly connections: number;
  /** For an answer's head, and for its body. @default 15 s */
  readonly timeoutMs?: number;
}

/** What the platform answered, whatever the status. */
export interface ApiAnswer {
  readonly status: number;
  /** Empty where the answer has none: a refusal. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly headers: Dispatcher.ResponseData['headers'];
  /** The body as it came. */
  readonly text: string;
}

/** The platform answered with something other than 200 where only that lets one go on. */
export class Unanswered extends UserError {}

/** Calls of one address of the platform, with a root key, over connections that stay open. */
export class ApiClient {
  readonly url: string;
  readonly #pool: Pool;
  readonly #authorization: string;

  constructor(url: string, { rootKey, connections, timeoutMs = 15_000 }: ApiClientOptions) {
    this.url = url;
    this.#authorization = `Bearer ${rootKey}`;
    this.#pool = new Pool(url, {
      connections,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** Fails where no answer comes: then nobody knows what became of the call. */
  async post(operation: string, body: object): Promise<ApiAnswer> {
    const answer = await this.#pool.request({
      method: 'POST',
      path: `/v2/${operation}`,
      headers: { authorization: this.#authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, data: dataOf(text), headers: answer.headers, text };
  }

  /** The same, and fails with `Unanswered` for everything but 200. */
  async must(operation: string, body: object): Promise<ApiAnswer> {
    const answer = await this.post(operation, body);
    if (answer.status === 200) return answer;
    throw new Unanswered(`${operation} was answered with ${answer.status}: ${answer.text.slice(0, 500)}`);
  }

  /** GET, as it comes; undefined where it isn't answered with 200. */
  async get(path: string): Promise<string | undefined> {
    try {
      const { statusCode, body } = await this.#pool.request({ method: 'GET', path });
      const text = await body.text();
      return statusCode === 200 ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function dataOf(text: string): ApiAnswer['data'] {
  try {
    // Our own API's envelope; the fields that are used are checked where they are used.
    return (JSON.parse(text) as { readonly data?: ApiAnswer['data'] }).data ?? {};
  } catch {
    return {};
  }
}
