import { Agent } from 'undici';
import { percentile } from '../../scripts/lib/percentiles.ts';

export interface ConstantLoadOptions {
  readonly url: string;
  readonly rootKey: string;
  /** Bodies of verifications, sent in turn. */
  readonly bodies: readonly string[];
  /** Requests per second. */
  readonly rate: number;
}

/** What came back between two cuts. */
export interface Window {
  readonly answers: number;
  /** Answers that weren't a VALID verdict, and requests without an answer. */
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface ConstantLoad {
  /** Ends a window, begins the next, and returns the one that ended. */
  cut(): Window;
  stop(): Promise<void>;
}

const CONNECTIONS = 32;
const TICK_MS = 2;

/**
 * An open-loop client: requests leave when they are due, whether or not earlier ones were answered, and their latency counts from
 * that moment. So a server that stalls doesn't slow its own examination down.
 */
export function startConstantLoad({ url, rootKey, bodies, rate }: ConstantLoadOptions): ConstantLoad {
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  const headers = { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' };
  let latenciesMs: number[] = [];
  let failures = 0;
  let sent = 0;
  const underWay = new Set<Promise<void>>();
  const beganAtMs = performance.now();

  async function send(dueAtMs: number, body: string): Promise<void> {
    try {
      const { origin } = new URL(url);
      const answer = await agent.request({
        origin,
        path: '/v2/keys.verifyKey',
        method: 'POST',
        headers,
        body,
      });
      const text = await answer.body.text();
      latenciesMs.push(performance.now() - dueAtMs);
      if (!text.includes('"code":"VALID"')) failures += 1;
    } catch {
      // Whatever the reason, the client got no answer; the count is what is reported.
      failures += 1;
    }
  }

  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (let dueAtMs = due(sent); dueAtMs <= nowMs; dueAtMs = due(sent)) {
      const body = bodies[(sent * 7919) % bodies.length] ?? '';
      sent += 1;
      const request = send(dueAtMs, body).finally(() => underWay.delete(request));
      underWay.add(request);
    }
  }, TICK_MS);

  function due(count: number): number {
    return beganAtMs + (count * 1000) / rate;
  }

  return {
    cut() {
      const window = {
        answers: latenciesMs.length,
        failures,
        p50Ms: latenciesMs.length === 0 ? 0 : percentile(latenciesMs, 50),
        p99Ms: latenciesMs.length === 0 ? 0 : percentile(latenciesMs, 99),
        maxMs: latenciesMs.reduce((most, one) => Math.max(most, one), 0),
      };
      latenciesMs = [];
      failures = 0;
      return window;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      await agent.close();
    },
  };
}
