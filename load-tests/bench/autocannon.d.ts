/** The part of autocannon that the benchmark uses; the package brings no types of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Requests per second, over all connections. */
    readonly overallRate?: number;
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    /** Each connection sends these in turn. */
    readonly requests: readonly { readonly body: string }[];
  }

  interface Result {
    readonly errors: number;
    readonly timeouts: number;
    readonly non2xx: number;
    /** Seconds that it really took. */
    readonly duration: number;
  }

  interface Run extends EventEmitter, PromiseLike<Result> {
    on(
      event: 'response',
      listener: (client: unknown, statusCode: number, bytes: number, latencyMs: number) => void,
    ): this;
  }

  export default function autocannon(options: Options): Run;
}
