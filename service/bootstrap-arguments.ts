import { parseArgs } from 'node:util';
import { ROOT_PERMISSIONS, type RootPermission } from './domain/root-permissions.ts';

/** What the one-off entry `bootstrap` is asked for, as far as its command line says. */
export interface BootstrapArguments {
  /** Only says how it is used. */
  readonly help: boolean;
  /** A workspace that is to be made, or one that is there and gets one more root key. */
  readonly workspace: { readonly name: string } | { readonly id: string };
  /** Tuples of the root key, each once. */
  readonly permissions: readonly string[];
  readonly rootKeyHash: string | undefined;
  readonly rootKeyStart: string | undefined;
}

export const BOOTSTRAP_USE = `use: node scripts/pinned-node.mjs node service/bootstrap.ts [--workspace <name> | --workspace-id <id>] [--permissions <a,b,…>]
       [--root-key-hash <hash> --root-key-start <start>]

Makes a workspace and a root key for it, and prints one JSON line: {workspaceId, rootKeyId, rootKey}. The key's text is stored nowhere.

  --workspace <name>        name of the new workspace, 1–256 characters (default: default)
  --workspace-id <id>       makes no workspace: the root key is one more of this workspace
  --permissions <a,b,…>     what the root key may do, as api.*.verify_key, or with an id in place of *, as api.api_123.verify_key
                            (default: everything)
  --root-key-hash <hash>    SHA-256 of a root key that root-key.ts made elsewhere; its text is then not printed here
  --root-key-start <start>  first 12 characters of that key
  --help                    this text

Where the database is: KEYHEARTH_WRITER_URL (home's), KEYHEARTH_ZONE, KEYHEARTH_REGION, as for a task.
`;

const DEFAULT_NAME = 'default';
const NAME_MAX = 256;
const ID = /^[a-zA-Z0-9_]{3,255}$/;

/** What calls ask for with `*` alone, since there is no object yet, or no one object: with an id it would allow nothing. */
const FOR_ALL_ONLY: ReadonlySet<RootPermission> = new Set([
  'api.*.create_api',
  'api.*.read_analytics',
  'identity.*.create_identity',
  'ratelimit.*.create_namespace',
]);

/** Reads the command line. Throws an Error that says what to give instead. */
export function readBootstrapArguments(args: readonly string[]): BootstrapArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workspace: { type: 'string' },
      'workspace-id': { type: 'string' },
      permissions: { type: 'string' },
      'root-key-hash': { type: 'string' },
      'root-key-start': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  return {
    help: values.help === true,
    workspace: workspaceFrom(values.workspace, values['workspace-id']),
    permissions: permissionsFrom(values.permissions),
    rootKeyHash: values['root-key-hash'],
    rootKeyStart: values['root-key-start'],
  };
}

function workspaceFrom(name: string | undefined, id: string | undefined): BootstrapArguments['workspace'] {
  if (id !== undefined) {
    if (name === undefined) return { id };
    throw new Error(
      '--workspace makes a workspace, --workspace-id names one that is there: give one of them.',
    );
  }
  const wanted = name ?? DEFAULT_NAME;
  if (wanted.trim() === '' || wanted.length > NAME_MAX) {
    throw new Error(`--workspace must be a name of 1–${NAME_MAX} characters.`);
  }
  return { name: wanted };
}

function permissionsFrom(list: string | undefined): readonly string[] {
  if (list === undefined) return ROOT_PERMISSIONS;
  const wanted = [...new Set(list.split(',').map((permission) => permission.trim()))];
  for (const permission of wanted) requireKnown(permission);
  return wanted;
}

function requireKnown(wanted: string): void {
  const [group = '', object = '', action = '', ...more] = wanted.split('.');
  const known = ROOT_PERMISSIONS.find((permission) => permission === `${group}.*.${action}`);
  if (known === undefined || more.length > 0) {
    const all = ROOT_PERMISSIONS.join(', ');
    throw new Error(`--permissions: "${wanted}" is no permission of this version; there are ${all}.`);
  }
  if (object === '*') return;
  if (FOR_ALL_ONLY.has(known) || group === 'rbac') {
    throw new Error(`--permissions: "${wanted}" would allow nothing, there is only ${known}.`);
  }
  if (!ID.test(object)) throw new Error(`--permissions: "${wanted}" has neither * nor an id in its middle.`);
}
