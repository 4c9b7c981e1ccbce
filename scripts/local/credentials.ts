import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { basicEnvironment } from '../lib/environment.ts';
import { readJson, writeJson } from '../lib/json-file.ts';
import { waitFor } from '../lib/wait.ts';
import { repository } from './places.ts';

/** What the platform made for a person to begin with. */
export interface ZoneCredentials {
  readonly workspaceId: string;
  readonly rootKey: string;
  readonly apiId: string;
  readonly sampleKeyId: string;
  readonly sampleKey: string;
}

type CredentialsFile = Readonly<Record<string, ZoneCredentials>>;

function readAll(file: string): CredentialsFile | undefined {
  // Written by keepCredentials only.
  return readJson(file) as CredentialsFile | undefined;
}

export function keptCredentials(file: string, zone: string): ZoneCredentials | undefined {
  return readAll(file)?.[zone];
}

export function keepCredentials(file: string, zone: string, credentials: ZoneCredentials | undefined): void {
  const { [zone]: _before, ...others } = readAll(file) ?? {};
  writeJson(file, credentials === undefined ? others : { ...others, [zone]: credentials });
}

/** Answer of the API: its status, and its body where that is JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly data: unknown;
  /** Title and detail of an error. */
  readonly problem: string;
}

/** Calls the API of a region. Fails where no answer comes. */
export async function callApi(
  url: string,
  rootKey: string,
  route: string,
  body: unknown,
): Promise<ApiAnswer> {
  const answer = await fetch(`${url}/v2/${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  // Success has `data`, a refusal `error`; anything else is none of ours and shows in the message.
  const content = (await answer.json().catch(() => ({}))) as {
    data?: unknown;
    error?: { title?: string; detail?: string };
  };
  return {
    status: answer.status,
    data: content.data,
    problem: `${answer.status} ${content.error?.title ?? ''}: ${content.error?.detail ?? ''}`,
  };
}

/** Is what was kept still good here: does the root key authenticate and the sample key verify? */
export async function stillGood(url: string, credentials: ZoneCredentials): Promise<boolean> {
  const { status, data } = await callApi(url, credentials.rootKey, 'keys.verifyKey', {
    key: credentials.sampleKey,
  });
  return (
    status === 200 && typeof data === 'object' && data !== null && 'valid' in data && data.valid === true
  );
}

/** Makes a workspace and a root key at home, by the service's own one-off entry. */
export async function bootstrap(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly workspaceId: string; readonly rootKey: string }> {
  const line = await runEntry('bootstrap', env, ['--workspace', 'local']);
  // The entry's documented output.
  return JSON.parse(line) as { workspaceId: string; rootKey: string };
}

/** Runs `node service/<entry>.ts` and returns its one line of output. Fails with what it said where it didn't exit with 0. */
export async function runEntry(
  entry: 'migrate' | 'bootstrap' | 'vault-key',
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<string> {
  const program = join(repository, 'service', `${entry}.ts`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
      cwd: repository,
      env: { ...basicEnvironment(), ...env },
      timeout: 60_000,
    });
    return stdout.trim();
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`service/${entry}.ts failed: ${said === '' ? String(error) : said}`, { cause: error });
  }
}

/** Makes an API and a sample key through the API, as a person would. */
export async function seed(
  url: string,
  made: { readonly workspaceId: string; readonly rootKey: string },
): Promise<ZoneCredentials> {
  const api = await must<{ apiId: string }>(url, made.rootKey, 'apis.createApi', { name: 'sample' });
  const key = await must<{ keyId: string; key: string }>(url, made.rootKey, 'keys.createKey', {
    apiId: api.apiId,
    prefix: 'sample',
    name: 'sample',
  });
  return { ...made, apiId: api.apiId, sampleKeyId: key.keyId, sampleKey: key.key };
}

async function must<T>(url: string, rootKey: string, route: string, body: unknown): Promise<T> {
  // A home that has only just started says 503 until it knows that it is one.
  const { status, data, problem } = await waitFor(
    async () => {
      const answer = await callApi(url, rootKey, route, body);
      return answer.status !== 503 && answer;
    },
    { what: `${route} to be carried out`, timeoutMs: 20_000, intervalMs: 50 },
  );
  if (status !== 200) throw new Error(`${route} was answered with ${problem}`);
  // The contract of a 200 on this route.
  return data as T;
}
