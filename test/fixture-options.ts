/** NODE_OPTIONS of processes that are to read test/topology-fixture.ts instead of `regions.config.ts`; what a person has set stays. */
export const FIXTURE_OPTIONS = [
  process.env['NODE_OPTIONS'] ?? '',
  `--import=${new URL('topology-hook.ts', import.meta.url).href}`,
]
  .join(' ')
  .trim();
