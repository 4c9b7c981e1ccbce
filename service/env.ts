import type { Setting } from './setting-kinds.ts';
import { SETTINGS } from './settings.ts';
import { valkeyAccess } from './valkey/access.ts';

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The values of a table of settings. */
export type ValuesOf<Table> = { readonly [K in keyof Table]: ValueOf<Table[K]> };

/** The frozen configuration of a task. */
export type Env = ValuesOf<typeof SETTINGS>;

/** What is wrong with the environment, one line per setting. */
export class EnvError extends Error {
  override readonly name = 'EnvError';
}

/** Reads every setting once. Throws `EnvError` naming each wrong or missing variable; values of secrets never show. */
export function readEnv(variables: Readonly<Record<string, string | undefined>>): Env {
  const problems: string[] = [];
  const env = parseAll(SETTINGS, variables, problems);
  const known = new Set<string>(Object.values(SETTINGS).map((setting) => setting.variable));
  for (const variable of Object.keys(variables)) {
    if (variable.startsWith('KEYHEARTH_') && !known.has(variable)) problems.push(`${variable} is no setting`);
  }
  if (problems.length > 0) throw new EnvError(problems.join('\n'));
  checkTogether(env);
  return Object.freeze(env);
}

/** Reads the settings of a one-off entry; whatever else is set is for others. Throws `EnvError` like `readEnv`. */
export function readSettings<Table extends Readonly<Record<string, Setting<unknown>>>>(
  table: Table,
  variables: Readonly<Record<string, string | undefined>>,
): ValuesOf<Table> {
  const problems: string[] = [];
  const values = parseAll(table, variables, problems);
  if (problems.length > 0) throw new EnvError(problems.join('\n'));
  return values;
}

function parseAll<Table extends Readonly<Record<string, Setting<unknown>>>>(
  table: Table,
  variables: Readonly<Record<string, string | undefined>>,
  problems: string[],
): ValuesOf<Table> {
  const entries = Object.entries(table).map(([name, setting]) => {
    return [name, readSetting(setting, variables[setting.variable], problems)];
  });
  // Each entry was parsed by its own setting, which is what the type says; with problems, nobody looks at it.
  return Object.fromEntries(entries) as ValuesOf<Table>;
}

function readSetting(setting: Setting<unknown>, text: string | undefined, problems: string[]): unknown {
  if (text === undefined || text === '') {
    if (setting.fallback === undefined)
      problems.push(`${setting.variable} is missing: ${setting.description}`);
    return setting.fallback;
  }
  try {
    return setting.parse(text);
  } catch (error) {
    const shown = setting.secret ? '' : ` (it is ${JSON.stringify(text)})`;
    problems.push(`${setting.variable} ${error instanceof Error ? error.message : String(error)}${shown}`);
    return undefined;
  }
}

function checkTogether(env: Env): void {
  if (env.maxStalenessMs !== 0 && env.maxStalenessMs < 3 * env.heartbeatMs) {
    throw new EnvError(
      `KEYHEARTH_MAX_STALENESS_MS must be at least 3 heartbeats, ${3 * env.heartbeatMs} ms (it is ${env.maxStalenessMs})`,
    );
  }
  if (env.peers.has(env.region))
    throw new EnvError('KEYHEARTH_PEERS names this region: list only the others');
  try {
    valkeyAccess(env);
  } catch (error) {
    throw new EnvError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
