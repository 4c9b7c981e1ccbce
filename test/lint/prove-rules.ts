import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/**
 * Proves that the lint rules fire: lints the deliberately bad files in `bad/` with the repository's own configuration and fails
 * unless each line marked `// bad: <rule>` is refused by that rule and no other line is refused at all. Every import rule of a
 * layer, and every rule that the configuration names as an error, has to have such a line.
 *
 * The files lie in `bad/` as they would in the repository, and are linted in a copy of it whose root is `bad/`, because the layers'
 * rules go by path.
 */
const ROOT = join(import.meta.dirname, '..', '..');
const BAD = join(import.meta.dirname, 'bad');

interface Diagnostic {
  readonly message: string;
  /** E.g. `eslint(no-var)`. */
  readonly code: string;
  readonly help?: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

interface LintConfig {
  readonly rules: Readonly<Record<string, unknown>>;
  readonly overrides: readonly { readonly rules: Readonly<Record<string, unknown>> }[];
}

const MARK = /\/\/ bad: ([a-z-]+)$/;

async function main(): Promise<void> {
  // Both are written by us and by oxlint; a shape that differs fails below, loudly.
  const config = JSON.parse(await readFile(join(ROOT, '.oxlintrc.json'), 'utf8')) as LintConfig;
  const diagnostics = await lintCopy(config);
  const found = new Set(
    diagnostics.map((each) => `${each.filename}:${each.labels[0]?.span.line}: ${ruleOf(each.code)}`),
  );
  const wanted = await marks();
  const problems = [
    ...[...wanted].filter((line) => !found.has(line)).map((line) => `did not fire: ${line}`),
    ...[...found].filter((line) => !wanted.has(line)).map((line) => `fired where nothing is marked: ${line}`),
    ...unproven(config, diagnostics).map((rule) => `has no bad line to prove it: ${rule}`),
  ];
  if (problems.length > 0) throw new Error(`the lint rules are not proven:\n  ${problems.join('\n  ')}`);
  process.stdout.write(`lint rules proven: ${wanted.size} bad lines refused, nothing else\n`);
}

async function lintCopy(config: LintConfig): Promise<readonly Diagnostic[]> {
  const copy = await mkdtemp(join(tmpdir(), 'keyhearth-lint-'));
  try {
    await cp(BAD, copy, { recursive: true });
    await cp(join(ROOT, 'tsconfig.json'), join(copy, 'tsconfig.json'));
    // Types and packages resolve as they do in the repository.
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    await writeFile(
      join(copy, '.oxlintrc.json'),
      JSON.stringify({ ...config, $schema: undefined, ignorePatterns: ['node_modules'] }),
    );
    const answer = await run(join(ROOT, 'node_modules', '.bin', 'oxlint'), ['-f', 'json'], copy);
    const { diagnostics } = JSON.parse(answer) as { readonly diagnostics: readonly Diagnostic[] };
    return diagnostics;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Standard output of a program; it may exit with 1, as a linter that found something does. */
function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd, maxBuffer: 16 * 1024 * 1024, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null || error.code === 1) resolve(stdout);
      else reject(new Error(`oxlint failed: ${stderr}`, { cause: error }));
    });
  });
}

/** All marked lines, as `<file>:<line>: <rule>`. */
async function marks(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const entry of await readdir(BAD, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    for (const [index, line] of (await readFile(path, 'utf8')).split('\n').entries()) {
      const rule = MARK.exec(line)?.[1];
      if (rule !== undefined) found.add(`${relative(BAD, path)}:${index + 1}: ${rule}`);
    }
  }
  return found;
}

/** Rules of the configuration that no diagnostic comes from: import rules by their message, others by their name. */
function unproven(config: LintConfig, diagnostics: readonly Diagnostic[]): readonly string[] {
  const fired = new Set(diagnostics.flatMap(({ code, help }) => [ruleOf(code), help]));
  const named = Object.entries(config.rules)
    .filter(([, level]) => level !== 'off')
    .map(([name]) => name.replace(/^.*\//, ''));
  const messages = [...JSON.stringify(config.overrides).matchAll(/"message":"([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  );
  return [...new Set([...named, ...messages])].filter((rule) => !fired.has(rule));
}

/** `no-var` of `eslint(no-var)`. */
function ruleOf(code: string): string {
  return code.replace(/^.*\((.*)\)$/, '$1');
}

await main();
