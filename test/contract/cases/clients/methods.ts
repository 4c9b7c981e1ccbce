import { Unkey } from '@unkey/api';

/** What the official client offers, found by looking at it. */

/** Groups and calls that the client knows and this contract leaves out. */
const OUTSIDE_GROUPS = new Set([
  'apps',
  'deployments',
  'domains',
  'environments',
  'gateway',
  'github',
  'internal',
  'portal',
  'projects',
]);
const OUTSIDE_CALLS = new Set([
  'analytics.getGatewayRequests',
  'analytics.getRatelimits',
  'analytics.getRuntimeLogs',
]);

const WITH_SESSION = new Set(['portal.getVerifications', 'portal.listKeys', 'portal.rerollKey']);

function gettersOf(instance: object): readonly string[] {
  const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(instance) as object);
  return Object.entries(own).flatMap(([name, { get }]) => (get === undefined ? [] : [name]));
}

function methodsOf(instance: object): readonly string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(instance)).filter((name) => name !== 'constructor');
}

type Group = Readonly<Record<string, (...values: readonly unknown[]) => Promise<unknown>>>;

function groupsOf(client: Unkey): Readonly<Record<string, Group>> {
  // Getters of the client's own class, each of which gives an object of methods that take a body.
  return client as unknown as Readonly<Record<string, Group>>;
}

/** `<group>.<method>` of every method that the client has. */
const ALL: readonly string[] = (() => {
  const client = new Unkey({ rootKey: 'none', serverURL: 'http://127.0.0.1:1' });
  const groups = gettersOf(client);
  return groups.flatMap((group) =>
    methodsOf(groupsOf(client)[group] ?? {}).map((method) => `${group}.${method}`),
  );
})();

function isOutside(method: string): boolean {
  return OUTSIDE_GROUPS.has(method.split('.')[0] ?? '') || OUTSIDE_CALLS.has(method);
}

/** Those that are in this contract, and have to be called by a test each. */
export const INSIDE: readonly string[] = ALL.filter((method) => !isOutside(method));
/** Those that are answered as a call that doesn't exist. */
export const OUTSIDE: readonly string[] = ALL.filter(isOutside);

/** Calls a method by its name. The client checks the body's types, and its own reading of the answer. */
export async function callMethod(client: Unkey, method: string, body: unknown): Promise<unknown> {
  const [group = '', name = ''] = method.split('.');
  const methods = groupsOf(client)[group];
  if (methods === undefined) throw new Error(`the client has no group ${group}`);
  const run = methods[name];
  if (run === undefined) throw new Error(`the client has no method ${method}`);
  // Some of the portal's take a session of their own before the body; all others one value.
  return await (WITH_SESSION.has(method) ? run.call(methods, {}, body) : run.call(methods, body));
}
