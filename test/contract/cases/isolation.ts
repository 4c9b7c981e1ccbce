import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyText } from '../../../service/domain/key-text.ts';
import { ROOT_PERMISSIONS } from '../../../service/domain/root-permissions.ts';
import type { Answer } from '../answer.ts';
import { CALLS } from '../calls.ts';
import { type Call, FORBIDDEN, type Made, nameOf } from '../calls/types.ts';
import type { TargetOf } from '../target.ts';
import type { Workspace } from '../workspace.ts';

/** Nothing of one workspace is visible to another: what is there and what isn't are answered alike, to every kind of root key. */
export function isolationCases(target: TargetOf): void {
  describe.concurrent('to another workspace, what exists and what does not look alike', () => {
    test.for(CALLS.map((call) => ({ name: nameOf(call), call })))('$name', async ({ call }) => {
      const [owner, stranger] = await Promise.all([target().workspace(), target().workspace()]);
      // Alike data, so that whatever is answered could come from either.
      const [foreign] = await Promise.all([call.make(owner), call.make(stranger)]);
      const unknown = unlike(foreign, target().zone);
      const ask = async (made: Made, rootKey = stranger.rootKey): Promise<unknown> => {
        const answer = await stranger.call(call.verb, call.body(made), { ...owner.seen, rootKey });
        // A request that is wrong in itself would say nothing.
        expect(answer.status).not.toBe(400);
        return seenBy(answer, made);
      };
      expect(await ask(foreign)).toEqual(await ask(unknown));
      if (call.permissions.length > 0) {
        const others = ROOT_PERMISSIONS.filter((one) => !call.permissions.includes(one));
        const rootKey = await stranger.rootKeyWith(others);
        expect(await ask(foreign, rootKey)).toEqual(await ask(unknown, rootKey));
      }
      const names = namesIn(call, foreign);
      if (names.length < 2) return;
      // Each name by itself, beside things of the caller's own.
      for (const name of names) {
        const besideOwn = async (value = ''): Promise<unknown> =>
          await ask({ ...(await call.make(stranger)), [name]: value });
        expect(await besideOwn(foreign[name])).toEqual(await besideOwn(unknown[name]));
      }
    });

    test.for(CALLS.filter(({ isList }) => isList).map((call) => ({ name: nameOf(call), call })))(
      '$name shows the own things only',
      async ({ call }) => {
        const [owner, other] = await Promise.all([target().workspace(), target().workspace()]);
        const [own, foreign] = await Promise.all([call.make(owner), call.make(other)]);
        const answer = JSON.stringify(await owner.must(call.verb, call.body(own)));
        const hidden = Object.values(foreign).filter((value) => !Object.values(own).includes(value));
        for (const value of hidden) expect(answer).not.toContain(value);
        expect(JSON.parse(answer)).not.toHaveLength(0);
      },
    );
  });
}

/** Each call with a root key that lacks what it needs, and with one that has nothing else. */
export function permissionCases(target: TargetOf): void {
  describe.concurrent('root keys', () => {
    const needing = CALLS.filter(({ permissions }) => permissions.length > 0);

    test.for(needing.map((call) => ({ name: nameOf(call), call })))(
      'that lack one permission for $name are refused',
      async ({ call }) => {
        const workspace = await target().workspace();
        const made = await call.make(workspace);
        for (const permission of call.permissions) {
          const rootKey = await workspace.rootKeyWith([
            ...ROOT_PERMISSIONS.filter((one) => one !== permission),
            // For another object, or in another form: matched as literals, these give nothing.
            permission.replace('*', 'other'),
            permission.replace(/[^.]+$/, '*'),
          ]);
          expectLacking(call, await workspace.call(call.verb, call.body(made), { rootKey }));
        }
      },
    );

    test.for(needing.filter(isWhole).map((call) => ({ name: nameOf(call), call })))(
      'with just the permission for $name may call it, for all objects or for this one',
      async ({ call }) => {
        const workspace = await target().workspace();
        const forAll = await workspace.rootKeyWith(call.permissions);
        await expectAllowed(workspace, call, await call.make(workspace), forAll);
        if (call.scope === undefined) return;
        const made = await call.make(workspace);
        const id = await call.scope(made, workspace);
        const forOne = await workspace.rootKeyWith(call.permissions.map((one) => one.replace('*', id)));
        await expectAllowed(workspace, call, made, forOne);
      },
    );
  });
}

/** Some entries name only what one field needs on top of what the call needs anyway. */
function isWhole(call: Call): boolean {
  const plain = CALLS.find(({ verb }) => verb === call.verb);
  return plain?.permissions.every((permission) => call.permissions.includes(permission)) ?? false;
}

async function expectAllowed(workspace: Workspace, call: Call, made: Made, rootKey: string): Promise<void> {
  const answer = await workspace.call(call.verb, call.body(made), { rootKey });
  expect([answer.status, JSON.stringify(answer.error)]).toEqual([call.status ?? 200, expect.anything()]);
  if (call.verb === 'keys.verifyKey') expect(answer.data).toMatchObject({ code: 'VALID' });
}

function expectLacking({ lacking = FORBIDDEN }: Call, answer: Answer): void {
  expect([answer.body, answer.status]).toEqual([answer.body, lacking.status]);
  if (lacking.type !== undefined) expect(answer.error.type).toMatch(new RegExp(`${lacking.type}$`));
  if (lacking.data !== undefined) expect(answer.data).toEqual(lacking.data);
}

/** What the call's body is made of. */
function namesIn({ body }: Call, made: Made): readonly string[] {
  const names = new Set<string>();
  const watched = new Proxy(made, {
    get(from, name) {
      names.add(String(name));
      return from[String(name)];
    },
  });
  body(watched);
  return [...names];
}

/** The same names for things that don't exist: texts of the same form and length. */
function unlike(made: Made, zone: string): Made {
  return Object.fromEntries(
    Object.entries(made).map(([name, value]) => {
      if (name === 'key') return [name, generateKeyText({ bytes: randomBytes(16), zone })];
      if (name === 'hash') return [name, randomBytes(32).toString('hex')];
      return [name, value.slice(0, -8) + randomBytes(4).toString('hex')];
    }),
  );
}

const NEW_ID = /\b(api|key|id|role|perm|rl|rlns|rlor)_[1-9A-HJ-NP-Za-km-z]{22}\b/g;
/** Of names that the calls of this table make up. */
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const IGNORED_HEADERS = new Set(['date', 'content-length', 'keyhearth-revision']);

/** All that the caller sees, but for the request's id, what it has sent itself, and ids that were made for it. */
function seenBy({ status, headers, body }: Answer, sent: Made): unknown {
  let text = JSON.stringify({ ...body, meta: undefined });
  for (const [name, value] of Object.entries(sent)) text = text.replaceAll(value, `<${name}>`);
  text = text
    .replaceAll(NEW_ID, '<new $1>')
    .replaceAll(/"key":"[^"]*"/g, '"key":"<new>"')
    .replaceAll(/"(reset|afterMs)":\d+/g, '"$1":0')
    .replaceAll(UUID, '<unique>');
  const names = [...headers.keys()].filter((name) => !IGNORED_HEADERS.has(name)).toSorted();
  const shown = JSON.parse(text) as { readonly data?: unknown };
  // Sorted by what stands for random names here.
  if (Array.isArray(shown.data))
    shown.data.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  return { status, type: headers.get('content-type'), names, body: shown };
}
