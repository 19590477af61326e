import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { javaRelease, missingPrograms, type Prerequisites } from '../src/prerequisites.ts';

const PROGRAMS = {
  java: 'echo \'openjdk version "21.0.2" 2024-01-16\' >&2',
  oldJava: 'echo \'java version "1.8.0_392"\' >&2',
  mvn: 'echo "Apache Maven 3.9.0"',
  'redis-server': 'echo "Redis server v=7.0.15"',
};

/** A PATH on which these programs are, and no others. */
async function machineWith(...programs: (keyof typeof PROGRAMS)[]): Promise<Prerequisites> {
  const searchPath = await mkdtemp(join(tmpdir(), 'graph2kafka-path-'));
  onTestFinished(() => rm(searchPath, { recursive: true, force: true }));
  for (const program of programs) {
    const file = join(searchPath, program === 'oldJava' ? 'java' : program);
    await writeFile(file, `#!/bin/sh\n${PROGRAMS[program]}\n`);
    await chmod(file, 0o755);
  }
  return { searchPath, platform: 'linux', architecture: 'x64', kafkaLibDir: join(searchPath, 'no-jars-yet') };
}

it('misses nothing where all programs are', async () => {
  expect(await missingPrograms(await machineWith('java', 'mvn', 'redis-server'))).toEqual([]);
});

it('needs no redis-server where one can be fetched', async () => {
  expect(await missingPrograms(await machineWith('java', 'mvn'))).toEqual([]);
});

it('says in one sentence each what is missing and what mends it', async () => {
  expect(await missingPrograms(await machineWith())).toEqual([
    'A local Kafka needs Java 17 or newer and Maven, not found on PATH: install with ' +
      '`sudo apt-get install -y openjdk-17-jre-headless maven`, ' +
      'or set KAFKA_BROKERS to the host:port of a Kafka that runs already.',
    'A local Redis needs redis-server, not found on PATH: install with `sudo apt-get install -y redis-server`, ' +
      'or set REDIS_URL to a Redis that runs already, e.g. redis://127.0.0.1:6379.',
  ]);
});

it('names the command of macOS there', async () => {
  const sentences = await missingPrograms({ ...(await machineWith()), platform: 'darwin' });
  expect(sentences[0]).toContain('`brew install openjdk maven`');
  expect(sentences[1]).toContain('`brew install redis`');
});

it('names the Java that is too old', async () => {
  const [sentence] = await missingPrograms(await machineWith('oldJava', 'mvn', 'redis-server'));
  expect(sentence).toContain('Java 17 or newer, not found on PATH (found: Java 8)');
});

it('needs no Maven when the jars are there', async () => {
  const machine = await machineWith('java', 'redis-server');
  expect(await missingPrograms(machine)).toHaveLength(1);
  expect(await missingPrograms({ ...machine, kafkaLibDir: machine.searchPath ?? '' })).toEqual([]);
});

it('needs a redis-server where none can be fetched for the machine', async () => {
  const machine = { ...(await machineWith('java', 'mvn')), architecture: 'riscv64' };
  expect(await missingPrograms(machine)).toEqual([expect.stringContaining('redis-server')]);
});

it('needs nothing where the servers run elsewhere', async () => {
  const elsewhere = { redisUrl: 'redis://r:6379', kafkaBrokers: 'k:9092' };
  expect(await missingPrograms({ ...(await machineWith()), ...elsewhere })).toEqual([]);
});

it.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "25" 2025-09-16', 25],
  ['java version "1.8.0_392"', 8],
  ['some other program', 0],
])('reads the release of Java from %j', (version, release) => {
  expect(javaRelease(version)).toBe(release);
});
