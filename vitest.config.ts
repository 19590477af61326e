import { defineConfig } from 'vitest/config';

/** What builds images and runs them, one file at a time: it brings its own Redis and Kafka. */
const images = 'test/deploy/{images,compose}*.test.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    // Most files wait for servers: two at once on two cores take two thirds of the time.
    maxWorkers: 2,
    // Two cores run servers, services and tests at once: what takes 2 s alone may take 10 s here.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'product',
          include: ['{bench,scripts,test}/**/*.test.ts', '{packages,services}/*/test/**/*.test.ts'],
          exclude: [images, '**/node_modules/**'],
          globalSetup: ['test/support/redis-and-kafka.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'images',
          include: [images],
          globalSetup: ['test/deploy/support/built-images.ts'],
          maxWorkers: 1,
          fileParallelism: false,
          // After all others, whose times it would spoil.
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
        },
      },
    ],
  },
});
