import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FIXTURE_OPTIONS } from './test/fixture-options.ts';

const EXCLUDED = [
  '**/node_modules/**',
  '.keyhearth/**',
  'test/lint/bad/**',
  '**/*.image.test.ts',
  '**/*.emulator.test.ts',
];

/** A busy machine may take long to show what a test awaits; one that never shows it fails all the same. */
const PATIENT = { poll: { timeout: 15_000, interval: 30 } };

/** Tests that run tasks know which zones there are, whatever a person has put into regions.config.ts: in this process and in its children. */
const FIXTURE_TOPOLOGY = {
  alias: [
    {
      find: /^.*\/regions\.config\.ts$/,
      replacement: fileURLToPath(new URL('test/topology-fixture.ts', import.meta.url)),
    },
  ],
  env: { NODE_OPTIONS: FIXTURE_OPTIONS },
};

/**
 * Four kinds of tests, told apart by their names: pure ones, those that start Postgres or a Valkey (`.pg.test.ts`, `.valkey.test.ts`), those that run the CDK's command
 * line against a local AWS (`.deploy.test.ts`), and those that start the whole local platform (`.platform.test.ts`). `npm test` runs all; `npm test -- --project unit` one kind. Platforms run one after
 * another and after everything else, since each takes the machine to itself.
 */
export default defineConfig({
  test: {
    watch: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [
            ...EXCLUDED,
            '**/*.pg.test.ts',
            '**/*.valkey.test.ts',
            '**/*.platform.test.ts',
            '**/*.deploy.test.ts',
          ],
          sequence: { groupOrder: 0 },
          // The CDK's own validation takes seconds for each app; `npm run synth` runs it over every template.
          env: { CDK_VALIDATION: 'false' },
          testTimeout: 20_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          ...FIXTURE_TOPOLOGY,
          name: 'pg',
          include: ['**/*.pg.test.ts', '**/*.valkey.test.ts'],
          exclude: EXCLUDED,
          // They wait for their servers most of the time.
          maxWorkers: 3,
          // The contract's cases await a running service most of the time.
          maxConcurrency: 16,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          expect: PATIENT,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'deploy',
          include: ['**/*.deploy.test.ts'],
          exclude: EXCLUDED,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 300_000,
          expect: PATIENT,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...FIXTURE_TOPOLOGY,
          name: 'platform',
          include: ['**/*.platform.test.ts'],
          exclude: EXCLUDED,
          fileParallelism: false,
          maxWorkers: 1,
          maxConcurrency: 16,
          sequence: { groupOrder: 3 },
          testTimeout: 120_000,
          expect: PATIENT,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
