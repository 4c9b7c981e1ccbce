import { Listr } from 'listr2';
import topology from '../../regions.config.ts';
import { parseTopology } from '../../topology/validate.ts';
import { errorText } from '../lib/user-error.ts';
import { watchNpm } from './npm-watch.ts';
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
  const platform = new Platform(plan, options, places, (sentence) => {
    // What ends because everything is being ended is no news.
    if (!ending.hasBegun) output.notice(sentence);
  });
  const ending = new Ending(platform, output);
  const startedAt = performance.now();
  try {
    await platform.prepare();
    await start(platform, output);
    const local = await platform.open();
    output.flush();
    if (options.json) output.line(JSON.stringify(local, null, 2));
    else output.line(`${overview(local)}\n${closing(places, performance.now() - startedAt)}`);
  } catch (error) {
    // Told to stop meanwhile: what fails is what was ended for that, and the exit code is already decided.
    if (ending.hasBegun) await ending.done;
    await platform.abort();
    throw error;
  }
  await ending.done;
  output.notice('Stopped.');
}

function closing(places: Places, tookMs: number): string {
  return [
    `Up after ${(tookMs / 1_000).toFixed(1)} s.`,
    `The same as JSON: ${places.localFile}`,
    `Logs: ${places.logs}`,
    'Look at it and break it, in another terminal: `npx keyhearth local --help` lists how.',
    'Ctrl-C stops everything.',
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
        // Its own listener would end us with 127 before we have ended what runs.
        { concurrent: false, registerSignalListeners: false },
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

/** The end of the platform: by a signal or because npm is gone; a second Ctrl-C ends everything at once. */
class Ending {
  /** Resolves when everything was stopped; never where the process ends by itself before. */
  readonly done: Promise<void>;
  readonly #platform: Platform;
  readonly #output: Output;
  #begunAtMs: number | undefined;
  #resolve: () => void = () => undefined;

  constructor(platform: Platform, output: Output) {
    this.#platform = platform;
    this.#output = output;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const watch = watchNpm(() => this.#begin('npm is gone'));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#begin(signal));
    const hasTerminal = process.stdin.isTTY || process.stdout.isTTY;
    process.on('SIGHUP', () => {
      if (hasTerminal) this.#begin('the terminal is gone');
      // Sent to a job in the background, as with nohup, which Node doesn't respect by itself. npm, itself on Node, may end by the same signal.
      else watch.stop();
    });
  }

  get hasBegun(): boolean {
    return this.#begunAtMs !== undefined;
  }

  #begin(why: string): void {
    if (this.#begunAtMs === undefined) {
      this.#begunAtMs = performance.now();
      this.#output.flush();
      this.#output.notice(
        why === 'SIGINT' ? 'Stopping; Ctrl-C once more to stop at once.' : `Stopping: ${reason(why)}.`,
      );
      void stopOrAbort(this.#platform).then(this.#resolve, (error: unknown) => {
        this.#output.notice(`Not everything stopped in order: ${errorText(error)}`);
        void this.#platform.kill().finally(() => process.exit(1));
      });
    } else if (performance.now() - this.#begunAtMs > sameCtrlCMs) {
      void this.#platform.kill().finally(() => process.exit(130));
    }
  }
}

function reason(why: string): string {
  return why.startsWith('SIG') ? `${why} received` : why;
}

/** While it starts, whatever comes next is still to be started: end what runs and go; the guard ends the rest. */
async function stopOrAbort(platform: Platform): Promise<void> {
  if (platform.isOpen) return platform.stop();
  await platform.abort();
  process.exit(130);
}
