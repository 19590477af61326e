import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { runMeasured } from './metrics-of.ts';
import { ownRedis } from './own-redis.ts';

/** Longer than the 3 s by which Graph calls an answer slow. */
const STOP_MS = 3300;

describe('a receiver that stands still', () => {
  it('warns of slow answers, and counts those too that waited before its door', async () => {
    await using redis = await ownRedis();
    await using it = await runMeasured(redis.server.url);
    const { receiver, metrics } = it;
    for (let n = 0; n < 60; n++) await receiver.post(`before-${n}`);
    expect(receiver.lines.join()).not.toContain('"acks.');

    redis.server.freeze();
    const inside = Array.from({ length: 5 }, (_, n) => receiver.post(`inside-${n}`));
    await eventually(async () => (await metrics()).g2k_receiver_requests_in_flight === 5);
    receiver.process.freeze();
    const outside = Array.from({ length: 3 }, (_, n) => receiver.post(`outside-${n}`));
    await pause(STOP_MS);
    redis.server.thaw();
    receiver.process.thaw();
    await Promise.all([...inside, ...outside]);

    await eventually(async () => (await metrics()).g2k_receiver_acks_10m === 68);
    expect(await metrics()).toMatchObject({
      g2k_receiver_acks_over_3s_10m: 8,
      g2k_receiver_acks_over_10s_10m: 0,
    });
    const warnings = receiver.lines.filter((line) => line.includes('"acks.')).map((line) => JSON.parse(line));
    expect(warnings.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'acks.slowing'],
      ['error', 'acks.endangered'],
    ]);
  });
});
