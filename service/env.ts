import { SETTINGS, type Setting } from './settings.ts';

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The frozen configuration of a task. */
export type Env = { readonly [K in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[K]> };

/** What is wrong with the environment, one line per setting. */
export class EnvError extends Error {
  override readonly name = 'EnvError';
}

/** Reads every setting once. Throws `EnvError` naming each wrong or missing variable; values of secrets never show. */
export function readEnv(variables: Readonly<Record<string, string | undefined>>): Env {
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, setting]) => {
    return [name, readSetting(setting, variables[setting.variable], problems)];
  });
  const known = new Set<string>(Object.values(SETTINGS).map((setting) => setting.variable));
  for (const variable of Object.keys(variables)) {
    if (variable.startsWith('KEYHEARTH_') && !known.has(variable)) problems.push(`${variable} is no setting`);
  }
  if (problems.length > 0) throw new EnvError(problems.join('\n'));
  // Each entry was parsed by its own setting, which is what Env says.
  const env = Object.fromEntries(entries) as Env;
  checkTogether(env);
  return Object.freeze(env);
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
}
