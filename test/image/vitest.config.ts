import { defineConfig } from 'vitest/config';

/** `npm run test:image`: what needs podman and mmdebstrap, and so is no part of `npm test`. */
export default defineConfig({
  test: {
    watch: false,
    dir: import.meta.dirname,
    include: ['**/*.image.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    silent: false,
  },
});
