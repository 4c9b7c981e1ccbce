import { get } from 'node:http';

/**
 * `node /app/healthcheck.mjs`: exit code 0 where the task of this container answers `/livez` with 200 within the time, else 1 with one
 * sentence on stderr. For orchestrators that run a command inside the container; the image has neither curl nor a need of a shell.
 * It asks about life, not readiness: a task that isn't ready must not be restarted for it.
 */
const TIMEOUT_MS = 2000;
/** Addresses that mean “all of this machine's”; nobody can be asked there. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

const host = process.env['KEYHEARTH_HOST'] ?? '';
const request = get(
  {
    host: host === '' || WILDCARDS.has(host) ? 'localhost' : host,
    port: Number(process.env['KEYHEARTH_PORT'] ?? '8080'),
    path: '/livez',
    agent: false,
    // Of the whole, not only of silence on the connection.
    signal: AbortSignal.timeout(TIMEOUT_MS),
  },
  (answer) => {
    answer.resume();
    if (answer.statusCode !== 200) fail(`it answered ${answer.statusCode}`);
    answer.on('end', () => process.exit());
  },
);
request.on('error', (error) => {
  fail(error.name === 'AbortError' ? `no answer within ${TIMEOUT_MS} ms` : error.message);
  process.exit();
});

function fail(reason: string): void {
  process.stderr.write(`/livez: ${reason}\n`);
  process.exitCode = 1;
}
