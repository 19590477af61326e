/** What Graph allows for a mailbox, kept to by all workers together. */
import { eventually, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const GROUP = '6f2d1a52-0c5e-4a5c-9d0e-3b1f0c9a7e11';

const wanted = ([user]: readonly string[]) => `subscriptions:
  - { name: calendars, resource: 'users/{user}/events', users: [${user}] }
  - { name: mail, resource: 'users/{user}/messages', users: [${user}] }
  - { name: conversations, resource: 'groups/${GROUP}/conversations' }
`;

/** Two more, beside the one of the pipeline. */
async function addWorkers({ stack }: Pipeline): Promise<void> {
  const more = await Promise.all([startWorker(stack, {}), startWorker(stack, {})]);
  onTestFinished(async () => void (await Promise.all(more.map(({ process }) => process.stop()))));
}

describe('three workers at one mailbox', () => {
  it('ask for four things at once and no more, be it a burst, pages after a hole, or a group', async () => {
    const pipeline = await startPipeline({
      subscriptions: wanted,
      worker: { RECONCILE_EVERY_MS: '1000' },
      simulator: { graphLatencyMs: 40 },
    });
    const { simulator, events, drained } = pipeline;
    simulator.seed(`groups/${GROUP}`, { displayName: 'Pilots' });
    await addWorkers(pipeline);
    await eventually(() => expect(simulator.subscriptions.size).toBe(3));
    const user = simulator.users()[0]?.id ?? '';
    for (let i = 0; i < 60; i++) {
      simulator.calendar.create(user, { subject: `Event ${i}` });
      simulator.items.create(`users/${user}/messages`, { subject: `Message ${i}` });
      simulator.items.create(`groups/${GROUP}/conversations`, { topic: `Conversation ${i}` });
    }
    for (const { id, resource } of simulator.subscriptions.list())
      if (resource.startsWith('users/')) simulator.lifecycle.missed(id);
    await simulator.notifier.idle();
    await drained(60_000);
    await eventually(() => expect(new Set(events().map(({ subject }) => subject)).size).toBe(180));
    expect(events().map(({ acquisition }) => acquisition)).not.toContain('notification');
    expect(simulator.maxConcurrent(`users/${user}`)).toBe(4);
    expect(simulator.maxConcurrent(`groups/${GROUP}`)).toBe(4);
    expect(simulator.requests.filter(({ status }) => status === 429)).toEqual([]);
  }, 120_000);
});
