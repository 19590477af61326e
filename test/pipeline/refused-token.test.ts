/** Graph refuses the token, and then takes it again. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';
import {
  expectFetched,
  expectOver,
  expectShown,
  logged,
  makeEvents,
  untilQuiet,
} from '../support/refusals.ts';

describe('a token that Graph refuses', () => {
  it('holds up the tenant with an alarm, and one owner tries every 30 s until it is taken again', async () => {
    const pipeline = await startPipeline({ users: 6 });
    const { simulator, drained } = pipeline;
    const refusal = simulator.faults.add({
      method: 'GET',
      path: /\/events\//,
      status: 401,
      times: Number.POSITIVE_INFINITY,
    });
    const first = makeEvents(pipeline, 'Refused');
    await eventually(() => expect(logged(pipeline, 'tenant.paused')).toHaveLength(1));
    await untilQuiet(pipeline);
    const asked = refusal.hits;
    const later = makeEvents(pipeline, 'Not asked for');
    await untilQuiet(pipeline);
    expect(refusal.hits).toBe(asked);
    await expectShown(pipeline, `tenant="${simulator.tenantId}",resources="all",reason="unauthorized"`);
    expect(logged(pipeline, 'tenant.paused')).toMatchObject([{ level: 'error', reason: 'unauthorized' }]);
    refusal.remove();
    await drained(50_000);
    await expectFetched(pipeline, [...first, ...later]);
    await expectOver(pipeline);
  }, 120_000);
});
