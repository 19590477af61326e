import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { runMeasured } from './metrics-of.ts';
import { change, collection, forged } from './notifications.ts';
import { ownRedis } from './own-redis.ts';
import { get, post, send } from './post.ts';
import { runReceiver } from './running-receiver.ts';

describe('the metrics of a receiver', () => {
  it('count answers by status and reason, and items by outcome', async () => {
    await using it = await runMeasured(inject('redisUrl'));
    const { url } = it.receiver;
    await post(`${url}/events`, collection(change(), forged(), change({ changeType: 5 })));
    await post(`${url}/lifecycle`, collection(forged()));
    await post(`${url}/events`, 'no json');
    await send(`${url}/events?validationToken=x`, {});
    await get(`${url}/events`);
    await get(`${url}/healthz`);
    await eventually(async () => (await it.metrics()).g2k_receiver_acks_10m === 4);
    expect(await it.metrics()).toMatchObject({
      'g2k_receiver_answers_total{status="202",reason=""}': 2,
      'g2k_receiver_answers_total{status="400",reason="not-json"}': 1,
      'g2k_receiver_answers_total{status="200",reason=""}': 1,
      g2k_receiver_answer_seconds_count: 4,
      'g2k_receiver_answer_seconds_bucket{le="10"}': 4,
      'g2k_receiver_items_total{outcome="accepted"}': 1,
      'g2k_receiver_items_total{outcome="unreadable"}': 1,
      'g2k_receiver_items_total{outcome="forged"}': 2,
      g2k_receiver_requests_in_flight: 0,
      g2k_receiver_refusing: 0,
      g2k_receiver_acks_over_3s_10m: 0,
      g2k_receiver_acks_over_10s_10m: 0,
    });
  });

  it('tell of refusals, of requests under way, and of those that ended without an answer', async () => {
    await using redis = await ownRedis();
    await using it = await runMeasured(redis.server.url);
    redis.server.freeze();
    const waiting = it.receiver.post();
    await eventually(async () => (await it.metrics()).g2k_receiver_requests_in_flight === 1);
    expect((await waiting).status).toBe(503);
    const gone = new AbortController();
    const leaving = fetch(`${it.receiver.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: collection(change()),
      signal: gone.signal,
    }).catch(() => 'gone');
    await eventually(async () => (await it.metrics()).g2k_receiver_requests_in_flight === 1);
    gone.abort();
    expect(await leaving).toBe('gone');
    await eventually(
      async () => (await it.metrics())['g2k_receiver_answers_total{status="none",reason=""}'] === 1,
    );
    await redis.server.kill9();
    await eventually(async () => (await it.metrics()).g2k_receiver_refusing === 1);
    expect(await it.metrics()).toMatchObject({
      'g2k_receiver_answers_total{status="503",reason="not-stored"}': 1,
      g2k_receiver_acks_10m: 2,
    });
  });

  it('are on their own port alone, which has nothing else', async () => {
    await using it = await runMeasured(inject('redisUrl'));
    expect((await get(`${it.receiver.url}/metrics`)).status).toBe(404);
    for (const path of ['/', '/events', '/metrics/x'])
      expect((await get(it.metricsUrl + path)).status).toBe(404);
    expect((await post(`${it.metricsUrl}/metrics`, 'x')).status).toBe(404);
    expect((await get(`${it.metricsUrl}/metrics`)).text).toContain('process_cpu_seconds_total');
  });

  it('listen nowhere unless a port is set', async () => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl') });
    await it.untilReady();
    expect(it.lines.join()).not.toContain('metrics.listening');
  });
});
