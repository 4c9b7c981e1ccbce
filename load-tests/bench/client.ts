import { once } from 'node:events';

import autocannon from 'autocannon';

import { percentile } from '../../scripts/lib/percentiles.ts';
import type { ClientJob, ClientReport } from './types.ts';

/**
 * The client, a process of its own so that its work isn't counted as the server's: does one `ClientJob` after another, each answered
 * with a `ClientReport`. A response that isn't 200, an error or a timeout ends it: a benchmark of failures would mean nothing.
 */
process.on('message', (job: ClientJob) => {
  run(job).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      process.stderr.write(`the benchmark's client failed: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
await once(process, 'disconnect');

async function run({ url, connections, perS, durationS, headers, bodies }: ClientJob): Promise<ClientReport> {
  const latenciesMs: number[] = [];
  const requests = bodies.map((body) => ({ body }));
  const running = autocannon({
    url,
    connections,
    duration: durationS,
    method: 'POST',
    headers,
    requests,
    ...(perS === null ? {} : { overallRate: perS }),
  });
  running.on('response', (_client, _status, _bytes, latencyMs) => latenciesMs.push(latencyMs));
  const { errors, timeouts, non2xx, duration } = await running;
  if (errors + timeouts + non2xx > 0) {
    throw new Error(`${errors} errors, ${timeouts} timeouts, ${non2xx} answers other than 200`);
  }
  return {
    responses: latenciesMs.length,
    durationS: duration,
    latencyMsP50: percentile(latenciesMs, 50),
    latencyMsP99: percentile(latenciesMs, 99),
  };
}
