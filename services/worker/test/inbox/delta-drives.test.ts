/** Drives and lists: Graph says that something has changed, and a delta query says what. */
import type { GraphSimulator } from '@graph2kafka/graph-simulator';
import { describe, expect, it } from 'vitest';
import { LeaseLostError } from '../../src/inbox/lease.ts';
import { bringForward } from '../support/own-redis.ts';
import type { BenchOptions } from '../support/owner-bench.ts';
import { graphCalls } from '../support/simulated-graph.ts';
import { WATCHING, type WatchingBench, watchingBench } from '../support/watching-bench.ts';

const drive = (options: BenchOptions = {}) => watchingBench((user) => `users/${user}/drive/root`, options);

const idOf = ({ path }: { path: { segments: readonly { id?: string }[] } }) => path.segments.at(-1)?.id ?? '';

function add({ simulator, user }: Pick<WatchingBench, 'simulator' | 'user'>, name: string) {
  return simulator.items.create(`users/${user}/drive/items`, { name });
}

const deltaCalls = (simulator: GraphSimulator) =>
  graphCalls(simulator).filter((call) => call.includes('/delta'));

describe('a drive', () => {
  it('becomes records of all its items the first time, the root folder too, and of what changes from then on', async () => {
    const bench = await drive();
    const { notifyWatched, settleAll, latest, events, simulator, user } = bench;
    const [kept, renamed, gone] = [add(bench, 'kept'), add(bench, 'old name'), add(bench, 'gone')];
    await notifyWatched();
    await settleAll();
    const first = await latest();
    expect(first.size).toBe(4);
    expect(first.get(idOf(kept))).toMatchObject({
      type: 'Microsoft.Graph.DriveItemUpdated',
      acquisition: 'snapshot',
      subject: `Users/${user}/Drive/Items/${idOf(kept)}`,
      dataschema: 'urn:graph2kafka:schema:drive-item:v1',
      data: { name: 'kept' },
      record: { key: `${simulator.tenantId}/users/${user}/drive/items/${idOf(kept)}` },
    });
    expect([...first.values()].filter(({ data }) => data.root !== undefined)).toHaveLength(1);

    simulator.items.update(renamed.path, { name: 'new name' });
    simulator.items.remove(gone.path);
    const made = add(bench, 'made');
    await notifyWatched();
    await settleAll();
    const since = (await events()).slice(first.size);
    const seen = new Map(
      since.map(({ data, type, acquisition }) => [data.id, { type, acquisition, name: data.name }]),
    );
    expect(seen).toEqual(
      new Map([
        [idOf(renamed), { type: 'Microsoft.Graph.DriveItemUpdated', acquisition: 'delta', name: 'new name' }],
        [idOf(made), { type: 'Microsoft.Graph.DriveItemUpdated', acquisition: 'delta', name: 'made' }],
        [idOf(gone), { type: 'Microsoft.Graph.DriveItemDeleted', acquisition: 'deleted', name: undefined }],
      ]),
    );
    expect(since).toHaveLength(3);
  });

  it('is read a page a run, and goes on where it was when a run loses its owner between two pages', async () => {
    const bench = await drive({ pageSize: 40 });
    const { notifyWatched, runWatched, settleAll, latest, simulator } = bench;
    const made = Array.from({ length: 250 }, (_, n) => add(bench, `No ${n}`));
    await notifyWatched();
    expect((await runWatched()).next.step).toBe('again');
    expect((await runWatched()).next.step).toBe('again');
    expect((await latest()).size).toBe(81);
    expect(await settleAll()).toBe(5);
    const seen = await latest();
    expect(new Set([...made.map(idOf)].filter((id) => !seen.has(id)))).toEqual(new Set());
    expect(deltaCalls(simulator)).toHaveLength(7);
  });

  it('is read again from the page whose records were not confirmed', async () => {
    const bench = await drive();
    const { deps, notifyWatched, runWatched, settleAll, latest, events } = bench;
    const made = Array.from({ length: 12 }, (_, n) => add(bench, `No ${n}`));
    await notifyWatched();
    await runWatched();
    let published = 0;
    const dying = {
      ...deps.publish,
      async outcome(...outcome: Parameters<typeof deps.publish.outcome>) {
        if (++published > 2) throw new LeaseLostError('the process was stopped here');
        return await deps.publish.outcome(...outcome);
      },
    };
    expect((await runWatched({ publish: dying })).next).toMatchObject({ step: 'done', why: 'foreign' });
    expect(await events()).toHaveLength(8);
    // Whoever was stopped may have written over what another one has read since: those two are looked up.
    await bench.own.redis.del(`${bench.own.names.prefix}:lease:${bench.watchedOwner}`);
    await settleAll();
    const seen = await latest();
    expect(made.every((item) => seen.has(idOf(item)))).toBe(true);
    expect(await events()).toHaveLength(13 + 2 + 2);
  });

  it('that changes while a round is under way has another one after it', async () => {
    const bench = await drive();
    const { notifyWatched, runWatched, settleAll, latest, simulator } = bench;
    const early = add(bench, 'early');
    for (let n = 0; n < 10; n++) add(bench, `No ${n}`);
    await notifyWatched();
    await runWatched();
    simulator.items.update(early.path, { name: 'changed meanwhile' });
    for (let n = 0; n < 3; n++) {
      await notifyWatched();
      await runWatched();
    }
    await settleAll();
    expect((await latest()).get(idOf(early))?.data).toMatchObject({ name: 'changed meanwhile' });
    // Three pages of the first round, one of the second.
    expect(deltaCalls(simulator)).toHaveLength(4);
  });

  it('is asked again when the delta query lags behind the notification', async () => {
    const bench = await drive({ simulator: { delta: { lagMs: 60_000 } } });
    const { notifyWatched, runWatched, settleAll, events, simulator, own, watchedOwner, deps } = bench;
    add(bench, 'root is made');
    simulator.clock.advance(120_000);
    await notifyWatched();
    await settleAll();
    const made = add(bench, 'late');
    await notifyWatched();
    await settleAll();
    expect((await events()).map(({ data }) => data.id)).not.toContain(idOf(made));
    simulator.clock.advance(120_000);
    // Not before its time.
    await bringForward(own, watchedOwner);
    expect(await runWatched()).toMatchObject({ fetches: 0, next: { step: 'later' } });
    await bringForward(own, watchedOwner);
    const later = { now: () => deps.now() + 6000 };
    expect(await runWatched(later)).toMatchObject({ fetches: 1, next: { step: 'later' } });
    expect((await events()).map(({ data }) => data.id)).toContain(idOf(made));
    await bringForward(own, watchedOwner);
    expect((await runWatched({ now: () => deps.now() + 40_000 })).next).toEqual({
      step: 'done',
      why: 'empty',
    });
  });

  it.each(['gone', 'syncStateNotFound', 'resyncRequired'] as const)(
    'is read from the beginning when Graph no longer knows the token (%s), and a dead letter says what that misses',
    async (expiredAs) => {
      const bench = await drive({ simulator: { delta: { expiredAs } } });
      const { notifyWatched, settleAll, events, latest, letters, simulator, log } = bench;
      const [kept, gone] = [add(bench, 'kept'), add(bench, 'gone')];
      await notifyWatched();
      await settleAll();
      simulator.delta.expireTokens();
      simulator.items.remove(gone.path);
      simulator.items.update(kept.path, { name: 'changed' });
      await notifyWatched();
      await settleAll();
      expect((await latest()).get(idOf(kept))).toMatchObject({
        acquisition: 'snapshot',
        data: { name: 'changed' },
      });
      expect(await letters()).toMatchObject([
        { data: { stage: 'resync', reason: expect.stringMatching(/^Graph refuses the delta token of 20/) } },
      ]);
      expect(log.lines.join()).toMatch(/delta\.token-refused/);
      const before = (await events()).length;
      simulator.items.update(kept.path, { name: 'once more' });
      await notifyWatched();
      await settleAll();
      expect((await events()).slice(before)).toMatchObject([
        { acquisition: 'delta', data: { name: 'once more' } },
      ]);
    },
  );

  it('is read from the beginning rather than from a token that leads elsewhere', async () => {
    const bench = await drive();
    const { notifyWatched, settleAll, simulator, own } = bench;
    add(bench, 'one');
    await notifyWatched();
    await settleAll();
    const key = `${own.names.prefix}:delta:${simulator.tenantId}/watching`;
    const token = JSON.parse((await own.redis.hget(key, 'token:*')) ?? '{}');
    const before = graphCalls(simulator).length;
    for (const link of [
      `/users/${bench.user}/messages/delta?$deltatoken=x`,
      '//elsewhere.example/v1.0/x',
      '@elsewhere.example/',
    ]) {
      await own.redis.hset(key, 'token:*', JSON.stringify({ ...token, link }));
      await notifyWatched();
      await settleAll();
    }
    const calls = graphCalls(simulator).slice(before);
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter((call) => !call.includes('/drive/root/delta'))).toEqual([]);
    expect(calls.join()).not.toContain('=x');
  });

  it('asks for pages of its size and shows what the view selects', async () => {
    const bench = await watchingBench((user) => `users/${user}/drive/root`, { view: { select: ['name'] } });
    const { notifyWatched, settleAll, latest } = bench;
    const item = add(bench, 'small');
    await notifyWatched();
    await settleAll();
    const { data } = (await latest()).get(idOf(item)) ?? { data: {} };
    expect(
      Object.keys(data)
        .filter((name) => !name.startsWith('@'))
        .toSorted(),
    ).toEqual(['id', 'name']);
  });

  it('that Graph answers with what is no page is given up after some tries, and read with the next news', async () => {
    const bench = await drive();
    const { notifyWatched, settleAll, letters, simulator, events } = bench;
    add(bench, 'one');
    simulator.faults.add({ method: 'GET', path: /\/delta/, status: 200, body: {}, times: 6 });
    await notifyWatched();
    await settleAll();
    expect(await letters()).toMatchObject([
      { data: { stage: 'resync', reason: expect.stringMatching(/no list/) } },
    ]);
    expect(await events()).toEqual([]);
    await notifyWatched();
    await settleAll();
    expect(await events()).toHaveLength(2);
  });

  it('of somebody else is no business of the subscription', async () => {
    const bench = await drive();
    const { append, simulator, watchedOwner, runWatched, letters } = bench;
    const other = 'drives/b!other/root';
    const { tenantId } = simulator;
    await append({
      owner: watchedOwner,
      resource: other,
      receivedAt: 1,
      news: { kind: 'change', tenantId, subscriptionId: WATCHING, changeType: 'updated', resource: other },
    });
    await runWatched();
    expect(await letters()).toMatchObject([{ data: { stage: 'verify', resource: other } }]);
    expect(graphCalls(simulator)).toEqual([]);
  });
});

describe('a list', () => {
  it('becomes records of its items, and of what changes from then on', async () => {
    const LIST = 'sites/s/lists/l';
    const bench = await watchingBench(() => LIST);
    const { simulator, notifyWatched, settleAll, events } = bench;
    simulator.seed(LIST, { displayName: 'List' });
    const made = simulator.items.create(`${LIST}/items`, { fields: { Title: 'One' } });
    await notifyWatched();
    await settleAll();
    simulator.items.update(made.path, { fields: { Title: 'Two' } });
    await notifyWatched();
    await settleAll();
    simulator.items.remove(made.path);
    await notifyWatched();
    await settleAll();
    expect(await events()).toMatchObject([
      {
        type: 'Microsoft.Graph.ListItemUpdated',
        acquisition: 'snapshot',
        dataschema: 'urn:graph2kafka:schema:list-item:v1',
        data: { fields: { Title: 'One' } },
        record: { key: `${simulator.tenantId}/${LIST}/items/${idOf(made)}` },
      },
      { acquisition: 'delta', data: { fields: { Title: 'Two' } } },
      { type: 'Microsoft.Graph.ListItemDeleted', acquisition: 'deleted' },
    ]);
  });
});
