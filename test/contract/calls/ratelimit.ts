import { randomUUID } from 'node:crypto';
import type { Workspace } from '../workspace.ts';
import type { Call, Made } from './types.ts';
import { WINDOW_MS } from '../cases/expected.ts';

const check = { identifier: 'user', limit: 10, duration: WINDOW_MS } as const;

async function makeNamespace(workspace: Workspace): Promise<Made> {
  const namespace = `namespace-${randomUUID()}`;
  await workspace.must('ratelimit.limit', { namespace, ...check });
  return { namespace };
}

async function makeOverride(workspace: Workspace): Promise<Made> {
  const made = await makeNamespace(workspace);
  const identifier = `identifier-${randomUUID()}`;
  await workspace.must('ratelimit.setOverride', { ...made, ...check, identifier });
  return { ...made, identifier };
}

/** Its id, which no answer shows. */
async function scope({ namespace = '' }: Made, workspace: Workspace): Promise<string> {
  let id = '';
  await workspace.target.sql(async (transaction) => {
    const [row] = await transaction.query<{ id: string }>(
      'select id from ratelimit_namespaces where workspace_id = $1 and name = $2',
      [workspace.id, namespace],
    );
    id = row?.id ?? '';
  });
  return id;
}

export const RATELIMIT_CALLS: readonly Call[] = [
  {
    verb: 'ratelimit.limit',
    make: makeNamespace,
    body: ({ namespace }) => ({ namespace, ...check }),
    permissions: ['ratelimit.*.limit'],
    scope,
  },
  {
    verb: 'ratelimit.limit',
    with: 'a namespace that is made by it',
    make: () => Promise.resolve({}),
    body: () => ({ namespace: `new-${randomUUID()}`, ...check }),
    permissions: ['ratelimit.*.limit', 'ratelimit.*.create_namespace'],
  },
  {
    verb: 'ratelimit.createNamespace',
    make: makeNamespace,
    body: ({ namespace }) => ({ namespace }),
    permissions: ['ratelimit.*.create_namespace'],
  },
  {
    verb: 'ratelimit.multiLimit',
    make: makeNamespace,
    body: ({ namespace }) => [
      { namespace, ...check },
      { namespace, ...check, identifier: 'another' },
    ],
    permissions: ['ratelimit.*.limit'],
    scope,
  },
  {
    verb: 'ratelimit.setOverride',
    make: makeOverride,
    body: ({ namespace, identifier }) => ({ namespace, ...check, identifier }),
    permissions: ['ratelimit.*.set_override'],
    scope,
  },
  {
    verb: 'ratelimit.getOverride',
    make: makeOverride,
    body: ({ namespace, identifier }) => ({ namespace, identifier }),
    permissions: ['ratelimit.*.read_override'],
    scope,
  },
  {
    verb: 'ratelimit.getOverride',
    with: 'the id of its namespace',
    make: async (workspace) => {
      const made = await makeOverride(workspace);
      return { ...made, namespaceId: await scope(made, workspace) };
    },
    body: ({ namespaceId, identifier }) => ({ namespace: namespaceId, identifier }),
    permissions: ['ratelimit.*.read_override'],
    scope,
  },
  {
    verb: 'ratelimit.listOverrides',
    isList: true,
    make: makeOverride,
    body: ({ namespace }) => ({ namespace }),
    permissions: ['ratelimit.*.read_override'],
    scope,
  },
  {
    verb: 'ratelimit.deleteOverride',
    make: makeOverride,
    body: ({ namespace, identifier }) => ({ namespace, identifier }),
    permissions: ['ratelimit.*.delete_override'],
    scope,
  },
];
