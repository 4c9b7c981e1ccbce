/**
 * What a program needs of our environment anywhere, and nothing else of ours: NODE_OPTIONS so that a person can profile or debug it, and
 * the cache of compiled code.
 */
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'NODE_OPTIONS', 'NODE_COMPILE_CACHE'] as const;

export function basicEnvironment(): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
