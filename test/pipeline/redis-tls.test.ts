/** A managed Redis as clouds offer it: TLS by an authority of its own, user and password, and settings that it hides. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, makeKafkaCertificates, RedisServer } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';

const PASSWORD = 'PLANTED:pass@word';

/** What docs/operations.md says that a user needs. */
const rights = (prefix: string) => [`~{${prefix}-0}:*`, '&*', '+@all', '-@dangerous', '+info'];

async function startManagedRedis(
  prefix: string,
  further: readonly string[],
): Promise<{ readonly url: string; readonly ca: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-managed-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await makeKafkaCertificates(dir);
  const port = await freePort();
  const server = await RedisServer.start({
    dir,
    extraArguments: [
      ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', join(dir, 'ca.pem')],
      ...['--user', 'g2k', 'on', `>${PASSWORD}`, ...rights(prefix), ...further],
      ...['--user', 'default', 'on', 'nopass', 'resetkeys', '-@all', '+ping'],
      ...['--tls-cert-file', join(dir, 'server.pem'), '--tls-key-file', join(dir, 'server.key')],
    ],
  });
  onTestFinished(() => server.stop());
  return {
    url: `rediss://g2k:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    ca: await readFile(join(dir, 'ca.pem'), 'utf8'),
  };
}

describe('a managed Redis', () => {
  it.each([
    ['whose settings are verified', 'strict', ['+config|get'], 0],
    ['that hides its settings, where its operator’s word is taken', 'declared', [], 2],
  ])(
    'carries a change to its record over TLS, for a user with few rights: one %s',
    async (_which, durability, further, warnings) => {
      const redisPrefix = `t${randomUUID().slice(0, 8)}`;
      const { url, ca } = await startManagedRedis(redisPrefix, further);
      const settings = { REDIS_DURABILITY: durability, REDIS_PREFIX: redisPrefix };
      const { simulator, eventsOf, log, drained } = await startPipeline({
        redisUrl: url,
        authorities: [ca],
        receiver: settings,
        worker: settings,
      });
      const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Encrypted' });
      await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
      await drained();
      expect(log.filter((line) => line.includes('redis.durability-not-verified'))).toHaveLength(warnings);
      expect(log.filter((line) => /NOPERM|"level":"(error|fatal)"/.test(line))).toEqual([]);
      expect(log.join()).not.toContain('PLANTED');
    },
  );
});
