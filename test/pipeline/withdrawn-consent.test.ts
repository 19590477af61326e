/** The consent to one kind of resource is withdrawn, and then given again. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';
import { expectFetched, expectOver, expectShown, logged, makeEvents } from '../support/refusals.ts';

const calendarsAndMail = (users: readonly string[]) => `subscriptions:
  - { name: calendars, resource: 'users/{user}/events', users: [${users.join(', ')}] }
  - { name: mail, resource: 'users/{user}/messages', users: [${users.join(', ')}] }
`;

describe('a consent that is withdrawn and given again', () => {
  it('holds up the mail of the tenant, none of which becomes a mere notification; the calendars go on', async () => {
    const pipeline = await startPipeline({ users: 3, subscriptions: calendarsAndMail });
    const { simulator, eventsOf, drained } = pipeline;
    await eventually(() => expect(simulator.subscriptions.size).toBe(6));
    const withdrawn = simulator.faults.add({ on: 'consent', resource: 'messages' });
    const mail = ['1', '2', '3'].flatMap((subject) =>
      simulator.users().map(({ id }) => simulator.items.create(`users/${id}/messages`, { subject }).path.key),
    );
    await eventually(() => expect(logged(pipeline, 'tenant.paused')).toHaveLength(1));
    await expectFetched(pipeline, makeEvents(pipeline, 'Goes on'));
    await expectShown(pipeline, `tenant="${simulator.tenantId}",resources="message",reason="forbidden"`);
    expect(logged(pipeline, 'tenant.paused')).toMatchObject([{ level: 'error', resources: 'message' }]);
    for (const key of mail) expect(eventsOf(key)).toEqual([]);
    withdrawn.remove();
    await drained(50_000);
    await expectFetched(pipeline, mail);
    await expectOver(pipeline);
  }, 120_000);
});
