import { accessFrom } from './database-access.ts';
import { readSettings } from './env.ts';
import { sentenceOf } from './sentence.ts';
import { SETTINGS } from './settings.ts';
import { migrate } from './store/migrate.ts';

/**
 * One-off entry: brings the home database's schema up to this version, as the role that owns it. Prints one JSON line; a failure is
 * one sentence on stderr and exit code 1. Where roles of their own are wanted, prepare.ts does it.
 */
try {
  const { url } = readSettings({ url: SETTINGS.writerUrl }, process.env);
  const onWarning = (message: string): void => void process.stderr.write(`${message}\n`);
  const migrated = await migrate({ url, access: accessFrom(process.env), onWarning });
  process.stdout.write(`${JSON.stringify(migrated)}\n`);
} catch (error) {
  process.stderr.write(`The schema could not be brought up to date: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
