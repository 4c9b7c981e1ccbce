import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { readJson } from './lib/json-file.ts';
import { errorCode, errorText, UserError } from './lib/user-error.ts';
import { type Part, PARTS } from './local/control-protocol.ts';
import { aboveZero, addMeasure, jsonOption } from './measure-command.ts';
import { addPlan } from './plan/command.ts';
import { addRegionCommands } from './region/command.ts';

const exitCodes = { fault: 1, mistake: 1, usage: 2 } as const;

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

const zoneOption = (): Option => new Option('--zone <name>', 'the zone, where a region is in several');

function buildCommand(): Command {
  const program = new Command('keyhearth')
    .description('API-key verification in the regions you choose: run it, look at it, break it.')
    .version(version(), '--version', 'print the version')
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride();
  addLocal(program.command('local').description('the whole platform on this machine'));
  addMeasure(program.command('measure').description('measure what the running platform promises'));
  addPlan(program);
  addRegionCommands(program);
  addDoctor(program.command('doctor').description('check that the running platform behaves'));
  return program;
}

function version(): string {
  // Our own package.json, which has one.
  const { version: text } = readJson(join(import.meta.dirname, '..', 'package.json')) as { version: string };
  return text;
}

interface UpFlags {
  readonly zone: readonly string[];
  readonly port: number;
  readonly tasks: number;
  readonly reset: boolean;
  readonly json: boolean;
}

function addLocal(local: Command): void {
  local
    .command('up')
    .description('start every zone and region and stay until Ctrl-C (the same as npm start)')
    .option('--zone <name>', 'only this zone; may be given several times', collect, [])
    .option(
      '--port <number>',
      'first of the ports that are used; best below 32768, for systems use those above for outgoing connections',
      wholeNumber,
      8_700,
    )
    .option('--tasks <number>', 'service processes per region, behind one url', wholeNumber, 1)
    .option('--reset', 'throw the data of these zones away first', false)
    .option(
      '--json',
      'print nothing but one JSON object (that of .keyhearth/local.json) once everything runs',
      false,
    )
    .addHelpText(
      'after',
      '\nKEYHEARTH_DIR in the environment names another folder than .keyhearth, for a second platform with another --port.',
    )
    .action(async ({ zone, port, tasks, reset, json }: UpFlags) => {
      const { up } = await import('./local/up.ts');
      await up({ zones: zone, basePort: port, tasks, reset, json });
    });
  local
    .command('status')
    .description('processes, roles and replication of every region')
    .option('--zone <name>', 'only this zone')
    .addOption(jsonOption())
    .action(async (options: { zone?: string; json: boolean }) => {
      const { showStatus } = await import('./local/commands.ts');
      await showStatus({ zone: options.zone, json: options.json });
    });
  addBreaking(local);
}

/** Commands for seeing what happens when things break. */
function addBreaking(local: Command): void {
  local
    .command('kill <region>')
    .description('kill a region (SIGKILL), as when its machines are lost; it stays down until start')
    .addOption(new Option('--only <part>', 'only this part').choices(PARTS))
    .addOption(
      new Option('--task <number>', 'only this one of its tasks, counted from 0 as `local status` shows them')
        .argParser(wholeNumber)
        .conflicts('only'),
    )
    .addOption(zoneOption())
    .action(async (region: string, options: { only?: Part; task?: number; zone?: string }) => {
      const { change } = await import('./local/commands.ts');
      await change({ name: 'kill', region, ...options });
    });
  const simple = [
    ['start', 'start what is down in a region; a former home comes back as a standby'],
    ['pause-replication', 'stop a replica from showing changes, as when it is cut off'],
    ['resume-replication', 'let it show them again'],
    ['promote', 'make a region the home: a switchover while the home is alive, a failover when it is dead'],
  ] as const;
  for (const [name, description] of simple) {
    local
      .command(`${name} <region>`)
      .description(description)
      .addOption(zoneOption())
      .action(async (region: string, options: { zone?: string }) => {
        const { change } = await import('./local/commands.ts');
        await change({ name, region, zone: options.zone });
      });
  }
  local
    .command('lag <region> <ms>')
    .description('make a replica show each change so much later; 0 for none')
    .addOption(zoneOption())
    .action(async (region: string, ms: string, options: { zone?: string }) => {
      const { change, parseLag } = await import('./local/commands.ts');
      await change({ name: 'lag', region, lagMs: parseLag(ms), zone: options.zone });
    });
}

function addDoctor(doctor: Command): void {
  doctor
    .command('feed')
    .description('write from 8 connections at once and compare what the change feed delivers in every region')
    .option('--seconds <number>', 'how long to write', aboveZero, 10)
    .option('--zone <name>', 'only this zone')
    .addOption(jsonOption())
    .action(async (options: { seconds: number; zone?: string; json: boolean }) => {
      const { checkFeed } = await import('./local/feed-check.ts');
      await checkFeed({ seconds: options.seconds, zone: options.zone, json: options.json });
    });
}

/** Runs one command line and returns the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  try {
    await buildCommand().parseAsync([...argv]);
    return 0;
  } catch (error) {
    // Commander has printed what was wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    return explain(error, argv);
  }
}

function explain(error: unknown, argv: readonly string[]): number {
  const [sentence, code] = sentenceOf(error);
  process.stderr.write(`${sentence}\n`);
  // Whoever reads JSON gets JSON, whatever happens. `local up` promises it for a platform that runs, and nothing else.
  if (argv.includes('--json') && !argv.includes('up'))
    process.stdout.write(`${JSON.stringify({ error: sentence })}\n`);
  return code;
}

function sentenceOf(error: unknown): [sentence: string, code: number] {
  if (error instanceof UserError) return [error.message, exitCodes.mistake];
  if (errorCode(error) === 'ENOSPC' || errorText(error).includes('No space left on device'))
    return ['The disk is full: make room and start again.', exitCodes.mistake];
  return [`keyhearth failed: ${errorText(error)}`, exitCodes.fault];
}

/** As a shell reports a program that SIGPIPE ended: whoever read the output has gone, and nobody wants to hear more. */
const READER_GONE = 141;
process.stdout.on('error', (error) => {
  if (errorCode(error) === 'EPIPE') process.exit(READER_GONE);
  const [sentence, failed] = sentenceOf(error);
  process.stderr.write(`${sentence}\n`);
  process.exit(failed);
});

const code = await run(process.argv);
// What was written last may still fail, and says so only then.
await new Promise<void>((resolve) => {
  process.stdout.write('', () => resolve());
});
// Not left to the end of all work: a start that failed may still be busy in another zone, and the guard ends what that one starts.
process.exit(code === 0 ? process.exitCode : code);
