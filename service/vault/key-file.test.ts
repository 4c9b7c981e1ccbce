import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createVault } from './create-vault.ts';
import { readKeyFile } from './key-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyhearth-vault-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONTEXT = { workspaceId: 'ws_1', keyId: 'key_1' };
const KEY = Buffer.alloc(32, 7).toString('base64');
let files = 0;

function fileOf(content: string, mode = 0o600): string {
  files += 1;
  const path = join(folder, `${files}.json`);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const good = { current: 'one', keys: { one: KEY } };

/** What the process says before it ends. */
function refusalOf(path: string): string {
  try {
    createVault({ kind: 'file', path }, { zone: 'eu' });
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test.each([0o600, 0o400, 0o640, 0o440])('a file of mode %o is taken', (mode) => {
  expect(readKeyFile(fileOf(JSON.stringify(good), mode)).current).toBe('one');
});

test.each([0o644, 0o604, 0o660, 0o601, 0o620])('a file of mode %o is refused', (mode) => {
  const path = fileOf(JSON.stringify(good), mode);
  expect(refusalOf(path)).toBe(
    `the vault's key file ${path} has mode 0${mode.toString(8)}, so others can get at its keys: \`chmod 600 ${path}\``,
  );
});

test.each([
  ['no JSON', `{"current":"one","keys":{"one":"${KEY}"}`, 'is no JSON: it must be'],
  ['nothing', '', 'is no JSON: it must be'],
  ['a list', '[]', 'has another form: it must be'],
  ['no keys', '{"current":"one"}', 'has another form: it must be'],
  ['keys in a list', '{"current":"one","keys":[]}', 'has another form'],
  ['one more field', JSON.stringify({ ...good, old: {} }), 'has fields that mean nothing'],
  ['no current', JSON.stringify({ keys: good.keys }), 'has no key of the id that "current" names'],
  [
    'another current',
    JSON.stringify({ ...good, current: 'two' }),
    'has no key of the id that "current" names',
  ],
  ['a name of all objects', JSON.stringify({ ...good, current: 'toString' }), 'has no key of the id'],
  [
    'a wrong id',
    JSON.stringify({ current: 'a b', keys: { 'a b': KEY } }),
    'has a key whose id is not 1 to 64',
  ],
  [
    'a long id',
    JSON.stringify({ current: 'x', keys: { ['x'.repeat(65)]: KEY } }),
    'has a key whose id is not',
  ],
  [
    '31 bytes',
    JSON.stringify({ ...good, keys: { one: KEY.slice(4) } }),
    'has no 32 bytes in Base64 as its key one',
  ],
  ['no Base64', JSON.stringify({ ...good, keys: { one: `*${KEY.slice(1)}` } }), 'has no 32 bytes in Base64'],
  ['a number', JSON.stringify({ ...good, keys: { one: 1 } }), 'has no 32 bytes in Base64 as its key one'],
])('a file with %s names itself, what is wrong, and nothing that is in it', (_, content, sentence) => {
  const path = fileOf(content);
  const refusal = refusalOf(path);
  expect(refusal).toContain(`the vault's key file ${path} ${sentence}`);
  expect(refusal).not.toContain(KEY.slice(4));
});

test('a file that isn’t there, and a folder, are refused with what to do', () => {
  const path = join(folder, 'none.json');
  expect(refusalOf(path)).toBe(
    `the vault's key file ${path} can't be read (ENOENT); \`vault-key.ts ${path}\` makes one where there is none`,
  );
  chmodSync(folder, 0o700);
  expect(refusalOf(folder)).toBe(
    `the vault's key file ${folder} can't be read (EISDIR); give the path of a file`,
  );
});

test('vault-key.ts makes a file for its owner alone, refuses to overwrite it, and adds a key to it', async () => {
  const path = join(folder, 'made.json');
  const made = run(path);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const content = readFileSync(path, 'utf8');
  const first = readKeyFile(path).current;
  expect(JSON.parse(made.stdout)).toEqual({ file: path, current: first, keys: [first] });
  const text = await createVault({ kind: 'file', path }, { zone: 'eu' }).encrypt('kh_1', CONTEXT);

  expect(run(path)).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `No vault key was made: ${path} is there already; --rotate gives it a new key and keeps the old ones\n`,
  });
  expect(readFileSync(path, 'utf8')).toBe(content);

  chmodSync(path, 0o640);
  expect(run('--rotate', path)).toMatchObject({ status: 0, stderr: '' });
  const { current, keys } = readKeyFile(path);
  expect(current).not.toBe(first);
  expect([...keys.keys()]).toEqual([first, current]);
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(await createVault({ kind: 'file', path }, { zone: 'eu' }).decrypt(text, CONTEXT)).toBe('kh_1');
});

test('vault-key.ts rotates no file that isn’t one, and says how it is used', () => {
  const path = fileOf('{}');
  expect(run('--rotate', path).stderr).toContain(
    `No vault key was made: the vault's key file ${path} has another form`,
  );
  expect(readFileSync(path, 'utf8')).toBe('{}');
  expect(run()).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('use: vault-key.ts <file>') as string,
  });
  expect(run(path, path).stderr).toContain('use: vault-key.ts <file>');
});

function run(...args: readonly string[]) {
  const script = fileURLToPath(new URL('../vault-key.ts', import.meta.url));
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}
