/** What people do in Bull Board must not lose, repeat or block anything: jobs are only how news is worked soon. */
import { eventually, LOCAL_ADMIN_PASSWORD } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

type BoardJob = { readonly id: string; readonly data: { readonly owner?: string } };

const authorization = `Basic ${Buffer.from(`admin:${LOCAL_ADMIN_PASSWORD}`).toString('base64')}`;

async function board({ services }: Pipeline, method: string, path: string): Promise<unknown> {
  const response = await fetch(`${services.worker.url}/queues/api${path}`, {
    method,
    headers: { authorization },
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

async function jobs(pipeline: Pipeline, status: string): Promise<readonly BoardJob[]> {
  const answer = await board(pipeline, 'GET', `/queues?activeQueue=owners&status=${status}`);
  const { queues } = answer as { queues: { name: string; jobs: BoardJob[] }[] };
  return queues.find(({ name }) => name === 'owners')?.jobs ?? [];
}

describe('an operator', () => {
  it('who retries a completed job brings about no second record', async () => {
    const pipeline = await startPipeline();
    const { simulator, eventsOf, drained } = pipeline;
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Once' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    const [completed] = await eventually(async () => {
      const found = await jobs(pipeline, 'completed');
      return found.length > 0 && found;
    });
    await board(pipeline, 'PUT', `/queues/owners/${completed?.id}/retry`);
    const after = simulator.calendar.update(path.key, { subject: 'Twice' });
    await eventually(() => expect(eventsOf(path.key).at(-1)?.resourceversion).toBe(after.etag));
    await drained();
    expect(eventsOf(path.key)).toHaveLength(2);
  });

  it('who pauses the queue stops the work and nothing else: it is done when the queue goes on', async () => {
    const pipeline = await startPipeline();
    const { simulator, eventsOf } = pipeline;
    await board(pipeline, 'PUT', '/queues/owners/pause');
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Later' });
    await simulator.notifier.idle();
    expect(simulator.notifier.counters).toMatchObject({ delivered: 1, failedAttempts: 0 });
    expect(eventsOf(path.key)).toEqual([]);
    await board(pipeline, 'PUT', '/queues/owners/resume');
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
  });

  it('who removes a job only delays its news: the waker finds the owner without a job', async () => {
    const pipeline = await startPipeline();
    const { simulator, eventsOf } = pipeline;
    await board(pipeline, 'PUT', '/queues/owners/pause');
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Orphan' });
    await simulator.notifier.idle();
    const waiting = await eventually(async () => {
      const found = [...(await jobs(pipeline, 'waiting')), ...(await jobs(pipeline, 'paused'))];
      return found.length > 0 && found;
    });
    for (const { id } of waiting) await board(pipeline, 'PUT', `/queues/owners/${id}/clean`);
    await board(pipeline, 'PUT', '/queues/owners/resume');
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1), { timeoutMs: 10_000 });
  });
});
