/** What closes a hole: everything that a subscription watches is read again, in the owner's own runs. */
import { resyncEntry } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { bringForward } from '../support/own-redis.ts';
import { ownerBench, WHOLE } from '../support/owner-bench.ts';

type Bench = Awaited<ReturnType<typeof ownerBench>>;

/** A bench whose whole view can be listed, and the entry that asks for it. */
async function listable(): Promise<Bench & { askForAll(): Promise<void> }> {
  const bench = await ownerBench();
  const { deps, user, owner, simulator, append } = bench;
  const view = (await deps.loadViews([]))(WHOLE);
  const collection = [{ word: 'users', id: user }, { word: 'events' }];
  const loadViews = async () => (id: string) =>
    id === WHOLE ? { ...view, collection } : { wish: undefined, topic: view.topic, whole: false };
  const news = { tenantId: simulator.tenantId, subscriptionId: WHOLE, reason: 'a test' };
  return {
    ...bench,
    run: (changed = {}) => bench.run({ loadViews, ...changed }),
    askForAll: () => append(resyncEntry(owner, news, Date.now())),
  };
}

/** Runs until nothing is left; resolves to the number of runs. */
async function runAll({ run, own, owner }: Bench): Promise<number> {
  for (let runs = 1; runs < 50; runs++) {
    const { next } = await run();
    if (next.step === 'done') return runs;
    await bringForward(own, owner);
  }
  throw new Error('the inbox does not become empty');
}

describe('a resync', () => {
  it('publishes each event that exists, page by page, with a run for each page', async () => {
    const bench = await listable();
    const { simulator, user, askForAll, events } = bench;
    const made = Array.from({ length: 120 }, (_, i) =>
      simulator.calendar.create(user, { subject: `Event ${i}` }),
    );
    await askForAll();
    expect(await runAll(bench)).toBe(3);
    const seen = await events();
    expect(new Map(seen.map(({ record, ...event }) => [record.key, event.resourceversion]))).toEqual(
      new Map(made.map(({ path, etag }) => [`${simulator.tenantId}/${path.key}`, etag])),
    );
    expect(new Set(seen.map(({ acquisition }) => acquisition))).toEqual(new Set(['snapshot']));
    expect(seen).toHaveLength(120);
  });

  it('comes after what is due beside it, so that its reading is never the older one', async () => {
    const bench = await listable();
    const { simulator, user, askForAll, notify, events } = bench;
    const event = simulator.calendar.create(user, { subject: 'One' });
    await askForAll();
    await notify('created', event.path.key);
    await runAll(bench);
    expect((await events()).map(({ acquisition }) => acquisition)).toEqual(['fetched', 'snapshot']);
  });

  it('goes on at the page that could not be read, when Graph answers again', async () => {
    const bench = await listable();
    const { simulator, user, askForAll, events, run, own, owner } = bench;
    for (let i = 0; i < 60; i++) simulator.calendar.create(user, { subject: `Event ${i}` });
    await askForAll();
    expect((await run()).next.step).toBe('again');
    simulator.faults.add({ method: 'GET', path: /\/events$/, status: 500 });
    expect((await run()).next.step).toBe('later');
    await bringForward(own, owner);
    await runAll(bench);
    expect(new Set((await events()).map(({ record }) => record.key)).size).toBe(60);
    expect(await events()).toHaveLength(60);
  });

  it('of what cannot be listed is a dead letter', async () => {
    const bench = await ownerBench();
    const { append, owner, simulator, run, letters } = bench;
    const news = { tenantId: simulator.tenantId, subscriptionId: 'elsewhere', reason: 'a test' };
    await append(resyncEntry(owner, news, Date.now()));
    expect((await run()).next).toMatchObject({ step: 'done' });
    expect(await letters()).toMatchObject([{ data: { stage: 'resync', resource: 'resync/elsewhere' } }]);
  });
});

describe('an owner with news of more resources than it may have', () => {
  it('keeps those it has and has everything read again: nothing that exists is lost, nor a deletion', async () => {
    const bench = await listable();
    const { simulator, user, notify, events, own, owner } = bench;
    const made = Array.from({ length: 12 }, (_, i) =>
      simulator.calendar.create(user, { subject: `Event ${i}` }),
    );
    const gone = made[11];
    simulator.calendar.remove(gone?.path.key ?? '');
    const bounded = own.boundedInbox(5);
    for (const { path } of made.slice(0, 11)) await notify('created', path.key, { inbox: bounded });
    await notify('deleted', gone?.path.key ?? '', { inbox: bounded });
    expect(await own.redis.zcard(`${own.names.prefix}:due:${owner}`)).toBe(7);
    await runAll(bench);
    const last = new Map((await events()).map((event) => [event.record.key, event]));
    for (const { path, etag } of made.slice(0, 11)) {
      expect(last.get(`${simulator.tenantId}/${path.key}`)?.resourceversion).toBe(etag);
    }
    expect(last.get(`${simulator.tenantId}/${gone?.path.key}`)?.type).toBe('Microsoft.Graph.EventDeleted');
  });

  it('says in a dead letter that deletions found no room', async () => {
    const bench = await listable();
    const { simulator, user, notify, letters, own } = bench;
    const bounded = own.boundedInbox(1);
    for (let i = 0; i < 6; i++) {
      const { path } = simulator.calendar.create(user, { subject: `Event ${i}` });
      simulator.calendar.remove(path.key);
      await notify('deleted', path.key, { inbox: bounded });
    }
    await runAll(bench);
    expect(await letters()).toMatchObject([
      { data: { stage: 'resync', reason: expect.stringContaining('deletions') } },
    ]);
  });
});
