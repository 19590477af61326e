/** Images run with a root file system that cannot be written to: neither service writes a file, anywhere. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';

/** Node refuses every write, each child process and each worker thread (Node: permissions). */
const READ_ALONE = { NODE_OPTIONS: '--permission --allow-fs-read=* --allow-addons' };

describe('both services', () => {
  it('carry a change from Graph to Kafka, show their pages and end, without a right to write a file', async () => {
    const { simulator, services, eventsOf, dir, log } = await startPipeline({
      receiver: READ_ALONE,
      worker: READ_ALONE,
    });
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Read alone' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    const authorization = `Basic ${Buffer.from('admin:local-admin').toString('base64')}`;
    for (const page of ['/', '/queues/', '/metrics']) {
      expect((await fetch(`${services.worker.url}${page}`, { headers: { authorization } })).status).toBe(200);
    }
    for (const { process } of [services.receiver, services.worker]) {
      expect(await process.stop()).toEqual({ code: 0, signal: null });
    }
    expect(log.filter((line) => line.includes('ERR_ACCESS_DENIED'))).toEqual([]);
    const write = `require('node:fs').writeFileSync(${JSON.stringify(join(dir, 'written'))}, '')`;
    const refused = spawnSync(process.execPath, ['-e', write], {
      env: { ...process.env, ...READ_ALONE },
      encoding: 'utf8',
    });
    expect(refused.stderr).toContain('ERR_ACCESS_DENIED');
  });
});
