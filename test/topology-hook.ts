import { registerHooks } from 'node:module';

/**
 * For `node --import`: the process, and those that it starts with its NODE_OPTIONS, get test/topology-fixture.ts where they import
 * `regions.config.ts`, or the JSON file that KEYHEARTH_TEST_TOPOLOGY names.
 */
const own = new URL('../regions.config.ts', import.meta.url).href;
const fixture = new URL(
  process.env['KEYHEARTH_TEST_TOPOLOGY'] === undefined ? 'topology-fixture.ts' : 'topology-file.ts',
  import.meta.url,
).href;

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    return found.url === own ? { ...found, url: fixture } : found;
  },
});
