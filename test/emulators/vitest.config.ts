import { defineConfig } from 'vitest/config';

/** `npm run test:emulators`: what needs programs from PyPI, and so is no part of `npm test`. */
export default defineConfig({
  test: {
    watch: false,
    dir: import.meta.dirname,
    include: ['**/*.emulator.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ['verbose'],
  },
});
