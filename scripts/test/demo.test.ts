import { join } from 'node:path';
import { ChildProcess } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';

const DEMO = join(import.meta.dirname, '../demo.ts');

/** The demo on the run's servers, with its standard output as JSON lines. */
async function runDemo(
  ...args: string[]
): Promise<{ code: number | null; lines: Record<string, unknown>[] }> {
  const lines: Record<string, unknown>[] = [];
  const demo = await ChildProcess.start({
    name: 'demo',
    command: process.execPath,
    arguments: [DEMO, '--json', ...args],
    environment: { REDIS_URL: inject('redisUrl'), KAFKA_BROKERS: inject('kafkaBrokers') },
    onLine: (line, stream) => stream === 'stdout' && lines.push(JSON.parse(line)),
  });
  onTestFinished(async () => void (await demo.stop()));
  const { code } = await demo.exited;
  return { code, lines };
}

describe('the demo', () => {
  it('streams records of simulated calendars and loses none', async () => {
    const { code, lines } = await runDemo('--seconds', '4', '--rate', '5', '--users', '2');
    const records = lines.slice(0, -1);
    const summary = lines.at(-1) as {
      changes: number;
      records: number;
      lost: number;
      endToEndMs: { p50: number };
    };
    expect(code).toBe(0);
    expect(summary.lost).toBe(0);
    expect(summary.changes).toBeGreaterThan(5);
    expect(summary.records).toBe(records.length);
    expect(summary.endToEndMs.p50).toBeGreaterThan(0);
    expect(records[0]).toMatchObject({
      type: expect.stringMatching(/^Event(Created|Updated|Deleted)$/),
      user: expect.any(String),
      ms: expect.any(Number),
    });
  }, 60_000);

  it('exits with 1 and says so when Graph loses a notification', async () => {
    const { code, lines } = await runDemo('--seconds', '8', '--rate', '20', '--users', '2', '--lose', '1');
    expect(lines.at(-1)).toMatchObject({ lost: 1 });
    expect(code).toBe(1);
  }, 60_000);
});
