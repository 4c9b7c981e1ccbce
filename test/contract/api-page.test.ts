import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT_PERMISSIONS } from '../../service/domain/root-permissions.ts';
import { CALLS } from './calls.ts';

const page = readFileSync(new URL('../../docs/API.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => /^\| `[a-z]+\.\w+`/.test(line))
  .map((line) => {
    const [call = '', permission = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    const verb = /`([^`]+)`/.exec(call)?.[1] ?? '';
    return { verb, named: [...permission.matchAll(/`([a-z]+\.\*\.\w+)`/g)].map((match) => match[1] ?? '') };
  });

/** Making permissions by naming them is said once for all calls. */
const SAID_ONCE = 'rbac.*.create_permission';

test('docs/API.md lists every call once', () => {
  expect(rows.map(({ verb }) => verb).toSorted()).toEqual(
    [...new Set(CALLS.map(({ verb }) => verb))].toSorted(),
  );
});

test.each(rows.filter(({ named }) => named.length > 0))(
  'docs/API.md says which permissions $verb takes',
  ({ verb, named }) => {
    const taken = new Set(
      CALLS.filter((call) => call.verb === verb).flatMap(({ permissions }) => permissions),
    );
    if (verb !== 'permissions.createPermission') taken.delete(SAID_ONCE);
    expect(new Set(named)).toEqual(taken);
  },
);

test('every permission that there is belongs to a call', () => {
  const used = new Set(CALLS.flatMap(({ permissions }) => permissions));
  expect(ROOT_PERMISSIONS.filter((permission) => !used.has(permission))).toEqual([]);
});
