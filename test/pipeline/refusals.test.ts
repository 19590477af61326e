/** Graph is away, throttles the app, or refuses one mailbox: what waits, what shows where, and that nothing is lost. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';
import {
  expectFetched,
  expectOver,
  expectShown,
  logged,
  makeEvents,
  metricsOf,
  untilQuiet,
} from '../support/refusals.ts';

describe('Graph, away for a while', () => {
  it('leaves a backlog that drains when it is back, and no failed job', async () => {
    const pipeline = await startPipeline({ users: 5 });
    const { simulator, drained } = pipeline;
    const away = [/^\/v1\.0\//, /\/oauth2\//].map((path) =>
      simulator.faults.add({ path, status: 503, times: Number.POSITIVE_INFINITY }),
    );
    const made = ['1', '2', '3', '4'].flatMap((subject) => makeEvents(pipeline, subject));
    await simulator.notifier.idle();
    await eventually(() => expect(away[0]?.hits).toBeGreaterThan(made.length));
    for (const fault of away) fault.remove();
    await drained(30_000);
    await expectFetched(pipeline, made);
    expect(await metricsOf(pipeline)).toContain('g2k_jobs{queue="owners",state="failed"} 0\n');
    expect(pipeline.deadLetters()).toEqual([]);
  }, 90_000);
});

describe('an app that Graph throttles', () => {
  it('waits as a whole: whoever has news does not even ask, and goes on when the time is over', async () => {
    const pipeline = await startPipeline({ users: 8 });
    const { simulator, drained } = pipeline;
    const { tenantId } = simulator;
    const throttling = simulator.faults.add({ on: 'throttle', scope: 'application', forMs: 9000 });
    const first = makeEvents(pipeline, 'Throttled');
    await eventually(() => expect(logged(pipeline, 'tenant.paused')).toHaveLength(1));
    await untilQuiet(pipeline);
    const asked = throttling.hits;
    const later = makeEvents(pipeline, 'Not asked for');
    await untilQuiet(pipeline);
    expect(throttling.hits).toBe(asked);
    await expectShown(pipeline, `tenant="${tenantId}",resources="all",reason="throttled"`);
    expect(logged(pipeline, 'tenant.paused')).toMatchObject([
      { level: 'warn', tenant: tenantId, resources: 'all', reason: 'throttled' },
    ]);
    await drained(30_000);
    await expectFetched(pipeline, [...first, ...later]);
    await expectOver(pipeline);
  }, 90_000);
});

describe('a mailbox that the app may not read', () => {
  it('becomes records of its notifications, with one alarm; nobody else waits', async () => {
    const pipeline = await startPipeline({ users: 2 });
    const { simulator, eventsOf } = pipeline;
    const [forbidden = '', other = ''] = simulator.users().map(({ id }) => id);
    simulator.faults.add({
      method: 'GET',
      path: new RegExp(`/users/${forbidden}/`),
      status: 403,
      times: Number.POSITIVE_INFINITY,
    });
    for (const subject of ['1', '2', '3']) {
      const refused = simulator.calendar.create(forbidden, { subject }).path.key;
      await simulator.notifier.idle();
      const read = simulator.calendar.create(other, { subject }).path.key;
      await expectFetched(pipeline, [read]);
      await eventually(() => {
        expect(eventsOf(refused)).toMatchObject([
          { acquisition: 'notification', fallbackreason: 'forbidden (ErrorAccessDenied)' },
        ]);
      });
    }
    expect(logged(pipeline, 'owner.forbidden')).toMatchObject([
      { level: 'warn', owner: `${simulator.tenantId}/users/${forbidden}`, resources: 'event' },
    ]);
    expect(logged(pipeline, 'tenant.paused')).toEqual([]);
  }, 60_000);
});
