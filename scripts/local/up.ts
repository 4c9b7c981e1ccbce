import { Listr } from 'listr2';
import topology from '../../regions.config.ts';
import { parseTopology } from '../../topology/validate.ts';
import { parentOf } from '../lib/processes.ts';
import { errorText } from '../lib/user-error.ts';
import { type Places, placesOf } from './places.ts';
import { planPlatform, type UpOptions } from './plan.ts';
import { Platform } from './platform.ts';
import { overview } from './tables.ts';

/** Two signals so close to each other are one Ctrl-C: the terminal's, and the same passed on by npm. */
const sameCtrlCMs = 1_000;

/**
 * `keyhearth local up`: starts the platform, prints what it offers and stays until it is told to stop. Everything it started ends with it. Fails with
 * `UserError` where something outside stands in the way.
 */
export async function up(options: UpOptions): Promise<void> {
  const places = placesOf();
  // For the tasks and entries that are started, too.
  process.env['NODE_COMPILE_CACHE'] ??= places.compileCache;
  const plan = planPlatform(parseTopology(topology), options);
  const output = new Output(options.json);
  const platform = new Platform(plan, options, places, (sentence) => output.notice(sentence));
  const stopped = stopOnSignals(platform, output);
  const startedAt = performance.now();
  await platform.prepare();
  try {
    await start(platform, output);
    const local = await platform.open();
    output.flush();
    if (options.json) output.line(JSON.stringify(local, null, 2));
    else output.line(`${overview(local)}\n${closing(places, performance.now() - startedAt)}`);
  } catch (error) {
    await platform.abort();
    throw error;
  }
  await stopped;
  output.notice('Stopped.');
}

function closing(places: Places, tookMs: number): string {
  return [
    `Up after ${(tookMs / 1_000).toFixed(1)} s. The same as JSON: ${places.localFile}; logs: ${places.logs}.`,
    'Break things with `npx keyhearth local status | kill | pause-replication | lag | promote`; Ctrl-C stops everything.',
  ].join('\n');
}

/** Starts all zones at once and shows how far they are: a list that changes on a terminal, plain lines elsewhere. */
async function start(platform: Platform, output: Output): Promise<void> {
  const isLive = process.stdout.isTTY && !output.isJson;
  const step = (title: string, work: () => Promise<void>) => ({
    title,
    task: async (): Promise<void> => {
      const startedAt = performance.now();
      await work();
      if (!isLive && !output.isJson)
        output.line(`${title}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    },
  });
  const zones = platform.zones.map((zone) => ({
    title: `Zone ${zone.name}: ${zone.regions.join(', ')}`,
    task: () =>
      new Listr(
        [
          step(`${zone.name}: databases and replication`, () => zone.startDatabases()),
          step(`${zone.name}: services, root key and sample key`, () => zone.startServices()),
          step(`${zone.name}: accelerator`, () => zone.startAccelerator()),
        ],
        { concurrent: false },
      ),
  }));
  await new Listr(zones, {
    concurrent: true,
    renderer: isLive ? 'default' : 'silent',
    // What went wrong is said once, at the end.
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
    registerSignalListeners: false,
  }).run();
}

/** What is printed. Nothing but the JSON goes to stdout where that was asked for. */
class Output {
  readonly isJson: boolean;
  /** Sentences that came while progress was on the screen. */
  #waiting: string[] | undefined = [];

  constructor(isJson: boolean) {
    this.isJson = isJson;
    // A terminal that was closed must not keep us from stopping in order.
    process.stdout.on('error', () => undefined);
    process.stderr.on('error', () => undefined);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  notice(sentence: string): void {
    if (this.#waiting !== undefined && process.stdout.isTTY && !this.isJson) this.#waiting.push(sentence);
    else process.stderr.write(`${sentence}\n`);
  }

  flush(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const sentence of waiting) this.notice(sentence);
  }
}

/** Resolves when everything was stopped after a signal. A second one ends everything at once. */
function stopOnSignals(platform: Platform, output: Output): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (): void => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        output.flush();
        output.notice('Stopping; once more to stop at once.');
        void stopOrAbort(platform).then(resolve, (error: unknown) => {
          output.notice(`Not everything stopped in order: ${errorText(error)}`);
          void platform.kill().finally(() => process.exit(1));
        });
      } else if (performance.now() - firstAt > sameCtrlCMs) {
        void platform.kill().finally(() => process.exit(130));
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    watchNpm(onSignal);
  });
}

/** While it starts, whatever comes next is still to be started: end what runs and go; the guard ends the rest. */
async function stopOrAbort(platform: Platform): Promise<void> {
  if (platform.isOpen) return platform.stop();
  await platform.abort();
  process.exit(130);
}

/**
 * `npm start` that is killed passes nothing on: then this process, or the shell that npm started it with, has another parent all of a
 * sudden.
 */
function watchNpm(onGone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const grandparent = parentOf(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && parentOf(parent) === grandparent) return;
    clearInterval(timer);
    onGone();
  }, 500);
  timer.unref();
}
