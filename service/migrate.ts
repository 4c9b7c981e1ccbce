import { migrate } from './store/migrate.ts';

/**
 * One-off entry: brings the home database's schema up to this version. Prints one JSON line; a failure is one sentence on
 * stderr and exit code 1.
 */
const url = process.env['KEYHEARTH_WRITER_URL'];
if (url === undefined || url === '') {
  process.stderr.write('KEYHEARTH_WRITER_URL is not set: it is the postgres:// URL of the home database.\n');
  process.exitCode = 1;
} else {
  try {
    const onWarning = (message: string): void => void process.stderr.write(`${message}\n`);
    process.stdout.write(`${JSON.stringify(await migrate({ url, onWarning }))}\n`);
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    process.stderr.write(`The schema could not be brought up to date: ${reason}\n`);
    process.exitCode = 1;
  }
}
