/** The real answer of the admin port, judged by Prometheus' own tool, where it is installed. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/admin/metrics.ts';
import { ownRedis } from '../support/own-redis.ts';

const isThere = spawnSync('promtool', ['--version']).status === 0;

describe.skipIf(!isThere)('promtool', () => {
  it('finds nothing to mend in the metrics', async () => {
    const { inbox, openQueue } = ownRedis();
    const { registry, countRun } = createMetrics(
      inbox,
      openQueue('owners'),
      openQueue('dead-letters'),
      async () => [],
      async () => ({ serving: 0, bySecret: { current: 0, old: 0, replaced: 0 }, troubles: {} }),
    );
    countRun({
      ...{ next: { step: 'done', why: 'empty' }, resources: 1, notifications: 1 },
      ...{ records: 1, fetches: 1, waiting: 0, givenUp: 0 },
    });
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await registry.metrics(),
      encoding: 'utf8',
    });
    // The default metrics of a Node process are prom-client's: its names stay as they are.
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('g2k_'));
    expect({ said, read: status === 0 || status === 3 }).toEqual({ said: [], read: true });
  });
});
