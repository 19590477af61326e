/** What the worker counts, checked against the grammar of Prometheus' text format. */
import { connectPatient, createInbox, DEAD_LETTER_QUEUE, OWNER_JOB, OWNER_QUEUE } from '@graph2kafka/shared';
import { freePort } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics } from '../../src/admin/metrics.ts';
import type { RunReport } from '../../src/inbox/owner-run.ts';
import type { Pause } from '../../src/limits/pause.ts';
import type { FleetNumbers } from '../../src/subscriptions/fleet-numbers.ts';
import { ownRedis } from '../support/own-redis.ts';
import { changeNews, EVENT } from '../support/taken-entry.ts';

const PAUSES: readonly Pause[] = [
  {
    tenantId: 't1',
    resources: 'chat message',
    reason: 'forbidden',
    detail: 'forbidden (Forbidden)',
    since: 1,
    until: 2,
  },
];

function setup() {
  const own = ownRedis();
  const fleet: { now: FleetNumbers } = {
    now: { serving: 0, bySecret: { current: 0, old: 0, replaced: 0 }, troubles: {} },
  };
  const queues = { owners: own.openQueue(OWNER_QUEUE), deadLetters: own.openQueue(DEAD_LETTER_QUEUE) };
  return {
    ...own,
    ...queues,
    metrics: createMetrics(
      own.inbox,
      queues.owners,
      queues.deadLetters,
      async () => PAUSES,
      async () => fleet.now,
    ),
    fleet,
  };
}

const report: RunReport = {
  next: { step: 'done', why: 'empty' },
  resources: 2,
  notifications: 7,
  records: 2,
  fetches: 3,
  waiting: 1,
  givenUp: 1,
};

const LABELS = String.raw`\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\}`;
// Prometheus reads numbers in any case, and prom-client writes "Nan".
const SAMPLE = new RegExp(
  `^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:${LABELS})? (?:[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|nan|[-+]?inf)$`,
  'i',
);
const COMMENT =
  /^# (?:HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*|TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:counter|gauge|histogram|summary|untyped))$/;

describe('the metrics', () => {
  it('are valid: every line by the grammar, every metric with help and type before its samples, each once', async () => {
    const { metrics, owners } = setup();
    await owners.add('x', {});
    metrics.countRun(report);
    const text = await metrics.registry.metrics();
    const described = new Map<string, number>();
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const comment = COMMENT.exec(line);
      const name = comment?.[1] ?? comment?.[2];
      if (name !== undefined) {
        described.set(name, (described.get(name) ?? 0) + 1);
        continue;
      }
      const sample = SAMPLE.exec(line);
      expect(sample, line).not.toBeNull();
      const base = (sample?.[1] ?? '').replace(/_(bucket|sum|count)$/, '');
      expect(described.has(base) || described.has(sample?.[1] ?? ''), line).toBe(true);
    }
    expect(text.endsWith('\n')).toBe(true);
    expect([...described.values()].every((times) => times === 2)).toBe(true);
    expect(described.size).toBeGreaterThan(10);
  });

  it('name each tenant and kind of resource that Graph refuses', async () => {
    const { metrics } = setup();
    expect(await metrics.registry.metrics()).toContain(
      'g2k_tenant_paused{tenant="t1",resources="chat message",reason="forbidden"} 1',
    );
  });

  it('count what runs report', async () => {
    const { metrics } = setup();
    metrics.countRun(report);
    metrics.countRun({ ...report, next: { step: 'again' } });
    const text = await metrics.registry.metrics();
    for (const line of [
      'g2k_runs_total{next="done"} 1',
      'g2k_runs_total{next="again"} 1',
      'g2k_notifications_covered_total 14',
      'g2k_records_published_total 4',
      'g2k_graph_fetches_total 6',
      'g2k_resources_waiting_total 2',
      'g2k_resources_given_up_total 2',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('leave the backlog out while Redis is away: 0 would say that there is none', async () => {
    const redis = connectPatient(`redis://127.0.0.1:${await freePort()}`, () => undefined);
    onTestFinished(() => redis.disconnect());
    const { owners, deadLetters, names } = setup();
    const metrics = createMetrics(
      createInbox(redis, names),
      owners,
      deadLetters,
      async () => PAUSES,
      async () => ({ serving: 0, bySecret: { current: 0, old: 0, replaced: 0 }, troubles: {} }),
    );
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/^g2k_tenant_paused\{/m);
    expect(text).not.toMatch(/^g2k_(owners_with_news|oldest_news_seconds) /m);
  });

  it('leave the age of the oldest news out where it is not known: 0 would say that there is none', async () => {
    const { metrics, redis, names } = setup();
    await redis.zadd(
      `${names.prefix}:oldest`,
      ...Array.from({ length: 150 }, (_, n) => [n, `gone-${n}`]).flat(),
    );
    const age = async () => (await metrics.registry.metrics()).match(/^g2k_oldest_news_seconds .*$/m)?.[0];
    expect(await age()).toBeUndefined();
    expect(await age()).toBe('g2k_oldest_news_seconds 0');
  });

  it('tell the backlog as Redis has it, and that no subscription fails until one does', async () => {
    const { metrics, inbox, owners, deadLetters, fleet } = setup();
    await inbox.append('tenant/users/ada', [
      { owner: 'tenant/users/ada', resource: EVENT, receivedAt: 1, news: changeNews() },
    ]);
    await owners.add(OWNER_JOB, {});
    await deadLetters.add('fetch', {});
    const lines = async () => (await metrics.registry.metrics()).split('\n');
    const ageOf = async () =>
      Number((await lines()).find((line) => line.startsWith('g2k_oldest_news_seconds '))?.split(' ')[1]);
    // Received in 1970.
    expect(await ageOf()).toBeCloseTo(Date.now() / 1000, -2);
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'g2k_owners_with_news 1',
        'g2k_jobs{queue="owners",state="waiting"} 1',
        'g2k_owners_ready 1',
        'g2k_jobs{queue="dead-letters",state="waiting"} 1',
        'g2k_subscriptions_failing{reason="quota"} 0',
      ]),
    );
    fleet.now = {
      serving: 7,
      bySecret: { current: 5, old: 2, replaced: 1 },
      troubles: { quota: 3 },
    };
    metrics.countReconciliation({
      wanted: 2,
      created: 0,
      renewed: 0,
      adopted: 0,
      deleted: 0,
      swept: 0,
      listed: true,
      failed: ['a'],
      bySecret: { current: 5, old: 2, replaced: 1 },
      oldSecretsFreed: false,
      certificates: [{ id: 'key-1', expiresAt: 1_800_000_000_999, subscriptions: 3 }],
    });
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'g2k_subscriptions_failing{reason="quota"} 3',
        'g2k_subscriptions_failing{reason="handshake"} 0',
        'g2k_subscriptions_by_secret{secret="current"} 5',
        'g2k_subscriptions_by_secret{secret="old"} 2',
        'g2k_subscriptions_by_secret{secret="replaced"} 1',
        'g2k_encryption_certificate_expiry_seconds{certificate="key-1"} 1800000000',
        'g2k_subscriptions_by_certificate{certificate="key-1"} 3',
      ]),
    );
  });
});
