/**
 * Whatever happens to a resource, and however its notifications arrive and its runs end: when all is quiet, the last
 * record shows Graph's last state, no record shows an older state after a newer one, and an id stands for one news.
 *
 * The inbox is real (Redis); Graph's state and the topic are values, since what is examined is what a run decides.
 * Deletions of a whole mailbox are believed without a look, so a deletion that arrives after news of its restore is
 * beyond this promise: where a resource comes back, its notifications arrive in order here.
 */
import { type ChangeType, changeEntry, type Inbox } from '@graph2kafka/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/graph/graph-error.ts';
import type { View } from '../../src/inbox/merge-entries.ts';
import { type OwnerRunDeps, runOwner } from '../../src/inbox/owner-run.ts';
import type { TenantAccess } from '../../src/inbox/tenant-access.ts';
import { changeRecord } from '../../src/records/change-record.ts';
import { bringForward, type OwnRedis, ownRedis } from '../support/own-redis.ts';
import { keptLog } from '../support/silent-log.ts';
import { neverPaused, uncountedRequests } from '../support/unlimited.ts';

const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';

/** So long after a change a resource that is there may not be found; who waits for longer has waited in vain. */
const EARLY_FOR_MS = 34_000;

type Notified = { readonly changeType: ChangeType; readonly at: number };

/** One resource at Graph, its notifications on their way, and what was published of it. */
class World {
  readonly owner: string;
  readonly resource: string;
  version = 0;
  exists = false;
  deaths = 0;
  /** Reads that answer 404 although the resource is there. */
  early = 0;
  readonly onTheirWay: Notified[] = [];
  readonly published: Published[] = [];
  /** How far ahead of Redis's clock the worker's is, since waits are cut short here. */
  aheadMs = 0;
  private lastAt = 0;

  constructor(user: string) {
    this.owner = `${TENANT}/users/${user}`;
    this.resource = `users/${user}/events/e`;
  }

  now(): number {
    return Date.now() + this.aheadMs;
  }

  change(changeType: ChangeType): void {
    this.version += 1;
    this.exists = changeType !== 'deleted';
    this.lastAt = Math.max(this.lastAt + 1, this.now());
    this.onTheirWay.push({ changeType, at: this.lastAt });
  }

  /** Whether a read meets a replica that does not know the resource yet. */
  isEarly(): boolean {
    if (this.early === 0 || this.now() - this.lastAt > EARLY_FOR_MS) return false;
    this.early -= 1;
    return true;
  }
}

type Published = { readonly id: string; readonly type: string; readonly version: number | 'deleted' };

const contents: OwnerRunDeps['contents'] = {
  put: async () => undefined,
  contents: async () => new Map(),
  tokens: async () => [],
  remove: async () => undefined,
};

/** What Graph says in this world. */
function tenantOf(world: World): TenantAccess {
  return {
    async fetchResource() {
      if (!world.exists) throw new GraphError({ kind: 'notFound' });
      if (world.isEarly()) throw new GraphError({ kind: 'notFound' });
      return { data: {}, version: String(world.version), readAt: world.now() };
    },
    readPage: Object.assign(() => Promise.reject(new Error('no page has to be read here')), {
      isLinkOf: () => false,
    }),
  };
}

/** What the runs of one property need. */
function depsOf(world: World, inbox: Inbox, view: View): OwnerRunDeps {
  return {
    inbox,
    log: keptLog(),
    tenants: new Map([[TENANT, tenantOf(world)]]),
    pauses: neverPaused,
    mailboxRequests: uncountedRequests,
    contents,
    delta: { load: async () => ({ tokens: new Map(), round: undefined }), save: async () => undefined },
    openContent: () => Promise.reject(new Error('nothing is encrypted here')),
    publish: {
      async outcome(path, item, outcome) {
        const { event } = changeRecord({ tenantId: TENANT, clientId: 'client' }, path, item, outcome);
        const { id, type, resourceversion } = event;
        world.published.push({
          id,
          type,
          version: resourceversion === undefined ? 'deleted' : Number(resourceversion),
        });
        return 'whole';
      },
      giveUp: () => Promise.reject(new Error('nothing has to be given up here')),
    },
    handleLifecycle: async () => undefined,
    loadViews: async () => () => view,
    now: () => world.now(),
    random: () => 0,
    leaseMs: 10_000,
    window: 10,
  };
}

/** The inbox with a settle whose answer never comes: the run died after it had published. */
const dyingBeforeSettle = (inbox: Inbox): Inbox => ({
  ...inbox,
  settle: () => Promise.reject(new Error('the run died')),
  release: async () => undefined,
});

/** What may happen, in any order. */
const history = (restores: boolean) =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('change' as const), deletes: fc.boolean() }) },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('arrive' as const),
          which: restores ? fc.constant(0) : fc.nat(5),
          twice: fc.boolean(),
        }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('run' as const), early: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.constant({ do: 'die' as const }) },
      { weight: 1, arbitrary: fc.constant({ do: 'time passes' as const }) },
    ),
    { size: 'max', maxLength: 40 },
  );

type Step = ReturnType<typeof history> extends fc.Arbitrary<(infer S)[]> ? S : never;

const VIEWS: readonly View[] = [
  { wish: 'calendars/u', topic: 't', whole: true },
  { wish: 'folder/u', topic: 't', whole: false },
];

/** One step of a history. A resource that does not come back has one deletion, and nothing after it. */
async function take(
  step: Step,
  world: World,
  deps: OwnerRunDeps,
  restores: boolean,
  own: OwnRedis,
): Promise<void> {
  switch (step.do) {
    case 'change':
      if (world.exists) return world.change(step.deletes ? 'deleted' : 'updated');
      return restores || world.version === 0 ? world.change('created') : undefined;
    case 'arrive':
      if (world.onTheirWay.length > 0) await arrive(world, deps.inbox, step.which, step.twice);
      return;
    case 'run':
      world.early = step.early;
      await runOwner(deps, world.owner);
      world.early = 0;
      return;
    case 'die':
      // A fifth death in a row would be laid to the resource, and rightly end in a dead letter.
      if (world.deaths++ >= 4) return;
      await runOwner({ ...deps, inbox: dyingBeforeSettle(deps.inbox) }, world.owner).catch(() => undefined);
      await own.redis.del(`${own.names.prefix}:lease:${world.owner}`);
      return;
    case 'time passes':
      return passTime(world, own);
  }
}

/** All that waits is due: 30 s, the longest wait of an early 404, have gone by. */
async function passTime(world: World, own: OwnRedis): Promise<void> {
  world.aheadMs += 30_000;
  await bringForward(own, world.owner);
}

/** One of the notifications on their way reaches the inbox, maybe twice. */
async function arrive(world: World, inbox: Inbox, which: number, twice = false): Promise<void> {
  const [notified] = world.onTheirWay.splice(which % world.onTheirWay.length, 1);
  if (!notified) return;
  const { changeType, at } = notified;
  const item = {
    tenantId: TENANT,
    subscriptionId: 's',
    changeType,
    resource: world.resource,
    id: undefined,
    resourceData: undefined,
  };
  const entry = changeEntry(item, undefined, at);
  for (let i = 0; i < (twice ? 2 : 1); i++) await inbox.append(entry.owner, [entry]);
}

/** Runs until nothing is left; what waits is brought forward. */
async function quietDown(world: World, deps: OwnerRunDeps, own: OwnRedis): Promise<void> {
  for (let i = 0; i < 50; i++) {
    const { next } = await runOwner(deps, world.owner);
    if (next.step === 'done') return;
    await passTime(world, own);
  }
  throw new Error('the inbox does not become empty');
}

function judge({ version, exists, published }: World): void {
  const last = exists ? { version } : { type: 'Microsoft.Graph.EventDeleted' };
  expect(published.slice(-1)).toMatchObject(version === 0 ? [] : [last]);
  const states = published.map((record) => record.version).filter((shown) => shown !== 'deleted');
  expect(states, 'never an older state after a newer one').toEqual(states.toSorted((a, b) => a - b));
  const newsById = Map.groupBy(published, ({ id }) => id);
  for (const news of newsById.values()) expect(new Set(news.map((record) => record.version)).size).toBe(1);
}

describe.each(VIEWS)('for a view with whole = $whole', (view) => {
  it.each([
    ['that stays deleted once it is, notified in any order and twice', false],
    ['that comes back, notified in order', true],
  ])('the last record of a resource %s is its last state', async (_case, restores) => {
    const own = ownRedis();
    let histories = 0;
    await fc.assert(
      fc.asyncProperty(history(restores), async (steps) => {
        const world = new World(`u${histories++}`);
        const deps = depsOf(world, own.inbox, view);
        for (const step of steps) await take(step, world, deps, restores, own);
        while (world.onTheirWay.length > 0) await arrive(world, deps.inbox, 0);
        await quietDown(world, deps, own);
        judge(world);
      }),
      { numRuns: 150 },
    );
  });
});
