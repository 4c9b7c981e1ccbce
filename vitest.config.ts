import { defineConfig } from 'vitest/config';

const EXCLUDED = ['**/node_modules/**', '.keyhearth/**', 'test/lint/bad/**'];

/**
 * Three kinds of tests, told apart by their names: pure ones, those that start Postgres (`.pg.test.ts`), and those that start the
 * whole local platform (`.platform.test.ts`). `npm test` runs all; `npm test -- --project unit` one kind. Platforms run one after
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
          exclude: [...EXCLUDED, '**/*.pg.test.ts', '**/*.platform.test.ts'],
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'pg',
          include: ['**/*.pg.test.ts'],
          exclude: EXCLUDED,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'platform',
          include: ['**/*.platform.test.ts'],
          exclude: EXCLUDED,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
