import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{bench,scripts,test}/**/*.test.ts', '{packages,services}/*/test/**/*.test.ts'],
    globalSetup: ['test/support/redis-and-kafka.ts'],
    pool: 'forks',
    // Most files wait for servers: two at once on two cores take two thirds of the time.
    maxWorkers: 2,
    // Two cores run servers, services and tests at once: what takes 2 s alone may take 10 s here.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
