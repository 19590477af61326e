import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';

describe('a burst', () => {
  it('of 100 updates of one event costs few fetches, and its last state is the last record', async () => {
    const { simulator, eventsOf, drained } = await startPipeline({ simulator: { graphLatencyMs: 50 } });
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Version 0' });
    for (let i = 1; i <= 100; i++) {
      simulator.calendar.update(path.key, { subject: `Version ${i}` });
      // The next change comes when the event loop has turned: about a second for all, as Graph would send them.
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    await simulator.notifier.idle();
    await drained();
    await eventually(() => expect(eventsOf(path.key).at(-1)?.data.subject).toBe('Version 100'));
    const fetches = simulator.changeLog.ofKind('read').filter(({ resource }) => resource === path.key);
    expect(fetches.length).toBeLessThanOrEqual(30);
    expect(eventsOf(path.key)).toHaveLength(fetches.length);
    const sum = eventsOf(path.key).reduce((total, { notificationcount = 0 }) => total + notificationcount, 0);
    expect(sum, 'each notification is counted by one record').toBe(101);
    expect(overlapping(fetches), 'one fetch of the event at a time').toBe(0);
  });

  it('over many events of one mailbox asks Graph for four at once and no more', async () => {
    const { simulator, events, drained } = await startPipeline({ simulator: { graphLatencyMs: 50 } });
    const [user] = simulator.users();
    for (let i = 0; i < 40; i++) simulator.calendar.create(user?.id ?? '', { subject: `Event ${i}` });
    await simulator.notifier.idle();
    await drained();
    await eventually(() => expect(events()).toHaveLength(40));
    expect(simulator.maxConcurrent(`users/${user?.id}`)).toBe(4);
  });
});

type Read = { readonly at: number; readonly answeredAt: number };

/** Reads that began before the one before them was answered. */
function overlapping(reads: readonly Read[]): number {
  const sorted = reads.toSorted((a, b) => a.at - b.at);
  return sorted.filter((read, i) => i > 0 && read.at < (sorted[i - 1] as Read).answeredAt).length;
}
