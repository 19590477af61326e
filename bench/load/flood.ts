/** Very many changes of one user's events, held back until they are all acknowledged and then let go at once. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { GraphSimulator } from '@graph2kafka/graph-simulator';
import { unlessInterrupted } from '../benchmark.ts';
import { setOwnerQueue } from '../stack/owner-queue.ts';
import type { WholePipeline } from '../stack/whole-pipeline.ts';

export const UPDATES_OF_EACH = 10;
/** So many at a stretch, and then the simulator may send and answer. */
const CHANGES_AT_ONCE = 500;
/** Several times what 25,000 notifications need on two cores that others use too. */
const ACKNOWLEDGED_WITHIN_MS = 90_000;

/** Makes events that nobody is notified of; resolves to their paths. */
export function makeQuietEvents({ calendar }: GraphSimulator, userId: string, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => calendar.create(userId, { subject: `Flooded ${i}` }, { notifyTimes: 0 }).path.key,
  );
}

/** Changes each event ten times in turn while the queue is held up; resolves when the worker may begin with them. */
export async function letLooseFlood(
  { simulator, services }: WholePipeline,
  events: readonly string[],
  interrupted: AbortSignal,
): Promise<void> {
  await setOwnerQueue(services.worker, 'pause');
  for (let i = 0; i < events.length * UPDATES_OF_EACH; i++) {
    simulator.calendar.update(events[i % events.length] as string, { subject: `Flood ${i}` });
    if (i % CHANGES_AT_ONCE === 0) {
      await breathe();
      interrupted.throwIfAborted();
    }
  }
  const acknowledged = simulator.notifier.idle({ timeoutMs: ACKNOWLEDGED_WITHIN_MS });
  await unlessInterrupted(acknowledged, interrupted);
  await setOwnerQueue(services.worker, 'resume');
}
