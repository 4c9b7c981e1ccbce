import { Command, InvalidArgumentError } from 'commander';
import { startFakeAws } from './server.ts';
import type { LoggedCall } from './request-log.ts';

/** AWS's own example of an account. */
const ACCOUNT = '111122223333';

interface Options {
  readonly port: number;
  readonly pace: number;
  readonly account: string;
  readonly region: string;
  readonly verbose: boolean;
}

const program = new Command('fake-aws')
  .description(
    'A local AWS on loopback, in memory: prints what a shell has to export to use it, and stays until Ctrl-C.',
  )
  .option('--port <port>', 'port to listen on; 0 for any that is free', wholeNumber, 0)
  .option('--pace <ms>', 'milliseconds for what takes AWS minutes', wholeNumber, 0)
  .option('--account <id>', 'account that the printed keys are for', ACCOUNT)
  .option('--region <name>', 'region that the printed lines name', 'us-east-1')
  .option('--verbose', 'say each call that is answered', false)
  .addHelpText(
    'after',
    '\nEvery account and region is there, and empty. Another shell uses it after running the lines that it prints.',
  );

program.parse();
const { port, pace, account, region, verbose } = program.opts<Options>();
const aws = await startFakeAws({ port, paceMs: pace, ...(verbose ? { watch: say } : {}) });
for (const [name, value] of Object.entries(aws.environment(account, region)))
  process.stdout.write(`export ${name}='${value}'\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void aws.close());

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function say(call: LoggedCall): void {
  const refused = call.code === undefined ? '' : ` ${call.code}`;
  process.stderr.write(
    `${call.status} ${call.service}:${call.action} ${call.account} ${call.region}${refused}\n`,
  );
}
