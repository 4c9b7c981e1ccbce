import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';

import Table from 'cli-table3';

import { readJson } from '../../scripts/lib/json-file.ts';
import { percentile } from '../../scripts/lib/percentiles.ts';
import { errorText, UserError } from '../../scripts/lib/user-error.ts';
import { checkRunning } from '../../scripts/local/control-client.ts';
import type { LocalFile, LocalZone } from '../../scripts/local/local-file.ts';
import { placesOf } from '../../scripts/local/places.ts';
import { cpuTimeS } from './cpu-time.ts';
import { makeHotKeys } from './hot-keys.ts';
import { HELP, parseSettings, UsageError } from './settings.ts';
import type { Settings } from './settings.ts';
import type { BareAnswer, ClientJob, ClientReport } from './types.ts';

/**
 * `npm run bench`: hot verifications through one region of the running platform beside bare `node:http` that answers the same
 * bytes. Both are asked by the same client process, in turns within one run, so that what else the machine does hits both alike. What is
 * compared is responses per second of the server's own CPU time, which a busy machine changes less than responses per second.
 *
 *     npm run bench -- [--zone global] [--region us-east-1] [--seconds 4] [--rounds 4] [--keys 100] [--json]
 */
/** What is measured, once it is known what runs. */
interface Target extends Settings {
  readonly zone: string;
  readonly region: string;
}

interface Round extends ClientReport {
  readonly cpuS: number;
}

/** Medians over the rounds. */
interface Row {
  readonly server: 'bare node:http' | 'keyhearth';
  readonly load: string;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  readonly responsesPerS: number;
  readonly responsesPerCpuS: number;
  /** Responses per CPU second, as a share of the bare server's. */
  readonly shareOfBare: number;
}

interface Server {
  readonly name: Row['server'];
  readonly url: string;
  readonly pid: number;
}

/** How the servers are asked. */
interface Load {
  readonly name: string;
  readonly connections: number;
  /** Requests per second over all connections; null: each connection sends its next request as soon as it has its answer. */
  readonly perS: number | null;
}

/**
 * At a steady rate both servers do the same work under the same conditions: that compares latency and cost. As fast as it goes, the
 * faster one makes the client the bottleneck, and is woken less often for each request: that shows what each can do at most.
 */
const LOADS: readonly Load[] = [
  { name: '4000/s', connections: 16, perS: 4000 },
  { name: '1 at a time', connections: 1, perS: null },
  { name: '16 at a time', connections: 16, perS: null },
];
const WARM_UP_S = 2;

async function main(settings: Settings): Promise<void> {
  const places = placesOf();
  await checkRunning(places.control, settings.zone);
  // Written by the running platform only, and there as long as it runs.
  const local = readJson(places.localFile) as LocalFile | undefined;
  const { at: zone, regionUrl, pid, ...target } = targetOf(settings, local ?? { zones: {} });
  const say = (text: string): void => void (settings.isJson || process.stderr.write(`${text}\n`));
  say(`Making ${settings.keys} keys and verifying them in ${target.region} …`);
  const keys = await makeHotKeys(zone, regionUrl, settings.keys);
  const [bare, client] = [child('bare-server.ts'), child('client.ts')];
  try {
    const answer: BareAnswer = { body: keys.sample.body, headers: ownHeaders(keys.sample.headers) };
    const port = await ask<number>(bare, answer);
    const servers: readonly Server[] = [
      { name: 'bare node:http', url: `http://127.0.0.1:${port}`, pid: bare.pid ?? 0 },
      { name: 'keyhearth', url: regionUrl, pid },
    ];
    const headers = { authorization: `Bearer ${zone.rootKey}`, 'content-type': 'application/json' };
    const run = async (server: Server, { connections, perS }: Load, durationS: number): Promise<Round> => {
      const job: ClientJob = {
        url: `${server.url}/v2/keys.verifyKey`,
        connections,
        perS,
        durationS,
        headers,
        bodies: keys.bodies,
      };
      const before = await cpuTimeS(server.pid);
      const report = await ask<ClientReport>(client, job);
      return { ...report, cpuS: (await cpuTimeS(server.pid)) - before };
    };
    say(`Warming up both servers for ${WARM_UP_S} s each …`);
    for (const server of servers)
      await run(server, { name: 'warm-up', connections: 16, perS: null }, WARM_UP_S);
    const rows: Row[] = [];
    for (const load of LOADS) {
      const seconds = servers.length * settings.rounds * settings.roundS;
      say(`${load.name}: ${settings.rounds} rounds for each server, ${seconds} s …`);
      rows.push(...(await compare(servers, load, settings, run)));
    }
    await keys.check();
    process.stdout.write(
      settings.isJson ? `${JSON.stringify({ settings: target, rows }, null, 2)}\n` : tableOf(rows, target),
    );
  } finally {
    bare.disconnect();
    client.disconnect();
    await keys.remove();
  }
}

async function compare(
  servers: readonly Server[],
  load: Load,
  settings: Settings,
  run: (server: Server, load: Load, durationS: number) => Promise<Round>,
): Promise<readonly Row[]> {
  const rounds = new Map<Server, Round[]>(servers.map((server) => [server, []]));
  for (let round = 0; round < settings.rounds; round++) {
    // Whoever goes first in one round goes last in the next.
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      rounds.get(server)?.push(await run(server, load, settings.roundS));
    }
  }
  const perCpuS = (server: Server): number =>
    median(rounds.get(server), ({ responses, cpuS }) => responses / cpuS);
  const [bare] = servers;
  return servers.map((server) => ({
    server: server.name,
    load: load.name,
    latencyMsP50: median(rounds.get(server), ({ latencyMsP50 }) => latencyMsP50),
    latencyMsP99: median(rounds.get(server), ({ latencyMsP99 }) => latencyMsP99),
    responsesPerS: median(rounds.get(server), ({ responses, durationS }) => responses / durationS),
    responsesPerCpuS: perCpuS(server),
    shareOfBare: bare === undefined ? Number.NaN : perCpuS(server) / perCpuS(bare),
  }));
}

function median(rounds: readonly Round[] | undefined, pick: (round: Round) => number): number {
  return percentile((rounds ?? []).map(pick), 50);
}

/** The zone and region that are asked: those that were named, otherwise the first ones. Fails with `UserError` where they don't run. */
function targetOf(
  settings: Settings,
  local: LocalFile,
): Target & { at: LocalZone; regionUrl: string; pid: number } {
  const zone = settings.zone ?? Object.keys(local.zones)[0] ?? '';
  const at = local.zones[zone];
  const region = settings.region ?? Object.keys(at?.regions ?? {})[0] ?? '';
  const found = at?.regions[region];
  if (at === undefined || found === undefined)
    throw new UserError(`There is no region ${region} of zone ${zone} here.`);
  if (found.pid === null)
    throw new UserError(
      `The service of ${region} is down: \`npx keyhearth local start ${region}\` starts it.`,
    );
  return { ...settings, zone, region, at, regionUrl: found.url, pid: found.pid };
}

/** Those of an answer that its server chose; the others `node:http` adds by itself, in both servers. */
function ownHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const automatic = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding']);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !automatic.has(name)));
}

function child(file: string): ChildProcess {
  return fork(join(import.meta.dirname, file), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Sends one message and awaits the answer; rejects where the process ends instead. */
function ask<T>(to: ChildProcess, message: ClientJob | BareAnswer): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('a process of the benchmark ended before its time'));
    to.once('exit', onExit);
    to.once('message', (answer) => {
      to.off('exit', onExit);
      // The two children are ours; each sends exactly what its job's type says.
      resolve(answer as T);
    });
    to.send({ ...message });
  });
}

function tableOf(rows: readonly Row[], { zone, region, roundS, rounds, keys }: Target): string {
  const head = ['load', 'server', 'p50 ms', 'p99 ms', 'per second', 'per CPU second', 'of bare'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const row of rows) {
    table.push([
      row.load,
      row.server,
      row.latencyMsP50.toFixed(2),
      row.latencyMsP99.toFixed(2),
      Math.round(row.responsesPerS),
      Math.round(row.responsesPerCpuS),
      row.shareOfBare.toFixed(2),
    ]);
  }
  return (
    `${table.toString()}\nHot verification of ${keys} keys through ${region} of zone ${zone}; medians of ${rounds} rounds of ${roundS} s; ` +
    `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}; client on the same machine.\n`
  );
}

async function runCommand(args: readonly string[]): Promise<number> {
  try {
    const settings = parseSettings(args);
    if (settings === undefined) process.stdout.write(HELP);
    else await main(settings);
    return 0;
  } catch (error) {
    const isMistake = error instanceof UserError || error instanceof UsageError;
    const sentence = isMistake ? error.message : `The benchmark failed: ${errorText(error)}.`;
    process.stderr.write(`${sentence}\n`);
    if (error instanceof UsageError) return 2;
    if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ error: sentence })}\n`);
    return 1;
  }
}

process.exitCode = await runCommand(process.argv.slice(2));
