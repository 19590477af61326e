/** Fetches of several mailboxes in one request, and the switch for it. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';

const USERS = 6;
const EVENTS_EACH = 5;

/** Changes all calendars at once; resolves when all is worked. */
async function burst(worker: Readonly<Record<string, string>>) {
  const pipeline = await startPipeline({ users: USERS, worker, simulator: { graphLatencyMs: 20 } });
  const { simulator, drained, eventsOf } = pipeline;
  const made = Array.from({ length: USERS * EVENTS_EACH }, (_, i) => {
    const user = simulator.users()[i % USERS]?.id ?? '';
    return simulator.calendar.create(user, { subject: `${i}` }).path.key;
  });
  await simulator.notifier.idle();
  await drained();
  const calls = simulator.requests.map(({ method, path }) => `${method} ${path}`);
  return {
    /** Of the newest record of each event. */
    subjects: () => made.map((key) => eventsOf(key).at(-1)?.data.subject),
    asMade: made.map((_, i) => `${i}`),
    batches: calls.filter((call) => call === 'POST /v1.0/$batch').length,
  };
}

describe('a burst over several mailboxes', () => {
  it('is fetched in batches, and each event has the record of its own state', async () => {
    const { subjects, asMade, batches } = await burst({});
    expect(batches).toBeGreaterThan(0);
    await eventually(() => expect(subjects()).toEqual(asMade));
  });

  it('is fetched one by one where batching is switched off', async () => {
    const { subjects, asMade, batches } = await burst({ GRAPH_BATCHING: 'false' });
    expect(batches).toBe(0);
    await eventually(() => expect(subjects()).toEqual(asMade));
  });
});
