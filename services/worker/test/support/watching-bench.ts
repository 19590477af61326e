/** A bench whose subscription watches something, and runs of its owner until nothing is left but what waits for later. */
import { type InboxEntry, ownerOf, parseResourcePath, resyncEntry } from '@graph2kafka/shared';
import type { View } from '../../src/inbox/merge-entries.ts';
import { type OwnerRunDeps, type RunReport, runOwner } from '../../src/inbox/owner-run.ts';
import { bringForward } from './own-redis.ts';
import type { SeenEvent } from './own-topic.ts';
import { type BenchOptions, type OwnerBench, ownerBench } from './owner-bench.ts';

export const WATCHING = 'subscription-watching';

export type WatchingBench = OwnerBench & {
  /** Of what is watched. */
  readonly watchedOwner: string;
  readonly watched: string;
  /** Graph says that something has changed, and not what. */
  notifyWatched(): Promise<void>;
  /** As after `missed`. */
  missed(): Promise<void>;
  runWatched(changed?: Partial<OwnerRunDeps>, owner?: string): Promise<RunReport>;
  /** Runs every owner that has news; what waits is brought forward, but for the later looks. Resolves to the number of runs. */
  settleAll(changed?: Partial<OwnerRunDeps>): Promise<number>;
  /** Newest record of each key, by the last id of the resource. */
  latest(): Promise<Map<string, SeenEvent>>;
};

export async function watchingBench(
  what: (user: string) => string,
  options: BenchOptions & { readonly view?: Partial<View> } = {},
): Promise<WatchingBench> {
  const bench = await ownerBench({ pageSize: 5, ...options });
  const { deps, simulator, user, own, append, events } = bench;
  const watched = what(user);
  const parsed = parseResourcePath(watched);
  if (!parsed.ok) throw new Error(parsed.reason);
  const usual = (await deps.loadViews([], ''))('none');
  const view: View = {
    ...usual,
    wish: 'watching',
    whole: true,
    watched: parsed.path,
    nonce: 'n',
    ...options.view,
  };
  const loadViews = async () => (id: string) => (id === WATCHING ? view : usual);
  const watchedOwner = `${simulator.tenantId}/${ownerOf(parsed.path)}`;
  const run = (changed: Partial<OwnerRunDeps> = {}, owner = watchedOwner) =>
    runOwner({ ...deps, loadViews, ...changed }, owner);
  const news = { tenantId: simulator.tenantId, subscriptionId: WATCHING };
  const entry = (more: Pick<InboxEntry, 'resource' | 'news'>): InboxEntry => {
    return { owner: watchedOwner, receivedAt: Date.now(), ...more };
  };
  return {
    ...bench,
    watchedOwner,
    watched,
    notifyWatched: () =>
      append(
        entry({
          resource: watched,
          news: { kind: 'change', ...news, changeType: 'updated', resource: watched, nonce: 'n' },
        }),
      ),
    missed: () => append(resyncEntry(watchedOwner, { ...news, reason: 'a test' }, Date.now())),
    runWatched: run,
    async settleAll(changed = {}) {
      for (let runs = 0; runs < 500; runs++) {
        const owner = await nextOwner(own);
        if (owner === undefined) return runs;
        await run(changed, owner);
      }
      throw new Error('the inbox does not become empty');
    },
    async latest() {
      return new Map((await events()).map((event) => [event.record.key?.split('/').at(-1) ?? '', event]));
    },
  };
}

/** One that has more to do than to look again; what it waits for is brought forward. */
async function nextOwner({ redis, names, ...own }: OwnerBench['own']): Promise<string | undefined> {
  for (const owner of await redis.zrange(`${names.prefix}:index`, '0', '-1')) {
    const due = await redis.zrange(`${names.prefix}:due:${owner}`, '0', '-1');
    if (due.every((resource) => resource.startsWith('again/'))) continue;
    await bringForward({ redis, names, ...own }, owner);
    return owner;
  }
  return undefined;
}
