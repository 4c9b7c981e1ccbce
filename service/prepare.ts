import { accessFrom } from './database-access.ts';
import { readSettings } from './env.ts';
import { PREPARE_SETTINGS } from './prepare-settings.ts';
import { sentenceOf } from './sentence.ts';
import { prepareDatabase } from './store/prepare.ts';

/**
 * The migrator: one-off entry that runs to its end before each service starts. Makes roles, rights and schema fit for this version,
 * or finds that they do. Prints one JSON line; a failure is one sentence on stderr and exit code 1. Ends within KEYHEARTH_PREPARE_MS.
 */
try {
  const settings = readSettings(PREPARE_SETTINGS, process.env);
  const deadline = setTimeout(() => {
    process.stderr.write(
      `The database was not prepared: it took longer than ${settings.prepareMs} ms; what was under way is rolled back. Run this once as a task of its own, with KEYHEARTH_PREPARE_MS raised.\n`,
    );
    process.exit(1);
  }, settings.prepareMs);
  const { postponed, ...prepared } = await prepareDatabase({
    ...settings,
    access: accessFrom(process.env),
    appPassword: settings.appPassword === '' ? null : settings.appPassword,
    // Migrations that others run may take all of our time but what is needed to say so.
    lockWaitMs: Math.round(settings.prepareMs * 0.6),
    onWarning: (message) => void process.stderr.write(`${message}\n`),
  });
  clearTimeout(deadline);
  if (postponed) process.stderr.write(`Warning: ${prepared.reason}.\n`);
  // Sessions with servers that don't answer any more, and looks for credentials, would hold the end up.
  process.stdout.write(`${JSON.stringify(prepared)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`The database was not prepared: ${sentenceOf(error).replace(/\.?$/, '.')}\n`);
  process.exit(1);
}
