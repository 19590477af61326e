import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Begun, Settlement, TakenEntry, TakenResource } from '../src/index.ts';
import { InboxModel, type ModelEntry, type Notice, type Verdict } from './inbox-model.ts';
import { allDone, entry, type InboxOnRedis, inboxOnRedis, OWNER, resourcesOf } from './inbox-on-redis.ts';

const LEASE_MS = 600_000;
const HOUR_MS = 3_600_000;

/** The real inbox, and what was seen of it. */
class Real {
  readonly on: InboxOnRedis;
  /** What each run took, the lost ones included: they may still come to settle. */
  readonly runs: { readonly token: string; readonly taken: readonly TakenResource[] }[] = [];
  appended = 0;
  settled = 0;

  constructor(mostResources: number) {
    this.on = inboxOnRedis(mostResources);
  }

  async append(notices: readonly Omit<Notice, 'id'>[]): Promise<Notice[]> {
    const named = notices.map((notice) => ({ ...notice, id: `n${++this.appended}` }));
    const entries = named.map(({ resource, subscription, change, receivedAt, id }) =>
      entry(resource, change, { subscription, receivedAt, id }),
    );
    await this.on.inbox.append(OWNER, entries);
    return named.map((notice) => ({ ...notice, resource: `users/u/events/${notice.resource}` }));
  }

  async begin(window: number): Promise<{ token: string; begun: Begun }> {
    const token = `run ${this.runs.length}`;
    const begun = await this.on.inbox.begin(OWNER, token, LEASE_MS, window);
    this.runs.push({ token, taken: begun.state === 'run' ? begun.resources : [] });
    return { token, begun };
  }

  /** What time would do to a lease, done at once. */
  expireLease(): Promise<unknown> {
    return this.on.redis.del(`${this.on.names.prefix}:lease:${OWNER}`);
  }

  /** What time would do to everything that waits, done at once. */
  async passTime(): Promise<void> {
    const { redis, names } = this.on;
    const waiting = await redis.zrangebyscore(`${names.prefix}:due:${OWNER}`, await this.on.now(), '+inf');
    for (const resource of waiting) await redis.zadd(`${names.prefix}:due:${OWNER}`, 'XX', 1, resource);
    if (waiting.length > 0) await redis.zadd(`${names.prefix}:index`, 'XX', 1, OWNER);
  }
}

type Command = fc.AsyncCommand<InboxModel, Real>;

const command = (name: string, run: (model: InboxModel, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run,
  toString: () => name,
});

const appendCommand = fc
  .array(
    fc.record({
      resource: fc.constantFrom('a', 'b', 'c', 'd'),
      subscription: fc.constantFrom('1', '2'),
      change: fc.constantFrom('created', 'updated', 'deleted'),
      receivedAt: fc.integer({ min: 1, max: 1_795_000_000_000 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((notices) =>
    command(`append ${JSON.stringify(notices)}`, async (model, real) => {
      for (const notice of await real.append(notices)) model.append(notice);
    }),
  );

const beginCommand = fc.integer({ min: 1, max: 3 }).map((window) =>
  command(`begin ${window}`, async (model, real) => {
    const { token, begun } = await real.begin(window);
    const due = model.due();
    if (model.holder !== undefined) return expect(begun).toEqual({ state: 'busy' });
    if (model.resources.size === 0) return expect(begun).toEqual({ state: 'empty' });
    if (due.length === 0) return expect(begun).toMatchObject({ state: 'later', inMs: expect.any(Number) });
    const taken = resourcesOf(begun);
    expect(taken).toHaveLength(Math.min(model.windowOfNext(window), due.length));
    model.begin(
      token,
      taken.map(({ resource }) => resource),
    );
    expect(begun).toMatchObject({ starts: model.starts, more: due.length - taken.length });
    for (const { resource, attempts, lonelyStarts, entries } of taken) {
      expect(due).toContain(resource);
      expect(attempts).toBe(model.resources.get(resource)?.attempts);
      expect(lonelyStarts).toBe(model.resources.get(resource)?.lonelyStarts);
      expect(entries.map(asModelled)).toEqual(model.resources.get(resource)?.entries);
    }
  }),
);

function asModelled({ seq, subscriptionId, news, ...rest }: TakenEntry): ModelEntry {
  const newestId = news.kind === 'change' ? (news.notificationId ?? '') : '';
  return { ...rest, seq: Number(seq), subscription: subscriptionId, newestId, read: true };
}

/** Any run may come to settle, also one that has lost its owner; of each resource, some, all or nothing is done. */
const settleCommand = fc
  .record({
    back: fc.constantFrom(0, 0, 0, 1, 2),
    verdicts: fc.array(fc.constantFrom('all', 'some', 'wait', 'some, wait', 'nothing', 'silence'), {
      minLength: 3,
      maxLength: 3,
    }),
  })
  .map(({ back, verdicts }) =>
    command(`settle ${back} ${verdicts}`, async (model, real) => {
      const run = real.runs.at(-1 - back);
      if (!run) return;
      const told = run.taken.flatMap((taken, i) => verdictOn(taken, verdicts[i] ?? 'all'));
      const settled = await real.on.inbox.settle(OWNER, run.token, told.map(asSettlement));
      if (run.token !== model.holder) return expect(settled).toEqual({ state: 'foreign' });
      real.settled += countDone(run.taken, told);
      model.settle(told);
      if (model.resources.size === 0) return expect(settled).toEqual({ state: 'empty' });
      expect(settled).toMatchObject({ state: 'left', resources: model.resources.size });
      const dueInMs = settled.state === 'left' ? settled.dueInMs : -1;
      if (model.due().length > 0) expect(dueInMs).toBe(0);
      else expect(dueInMs).toBeGreaterThan(0);
    }),
  );

function verdictOn({ resource, entries }: TakenResource, verdict: string): Verdict[] {
  const seqs = entries.map(({ seq }) => seq);
  const waits = verdict.includes('wait');
  if (verdict === 'silence') return [];
  if (verdict === 'all') return [{ resource, done: seqs, waits }];
  return [{ resource, done: verdict.startsWith('some') ? seqs.slice(0, 1) : [], waits }];
}

const asSettlement = ({ resource, done, waits }: Verdict): Settlement => ({
  resource,
  doneSeqs: done,
  ...(waits ? { wait: { ms: HOUR_MS, countsAsAttempt: true } } : {}),
});

function countDone(taken: readonly TakenResource[], verdicts: readonly Verdict[]): number {
  const done = taken.flatMap(({ resource, entries }) => {
    const seqs = verdicts.find((verdict) => verdict.resource === resource)?.done ?? [];
    return entries.filter(({ seq }) => seqs.includes(seq));
  });
  return done.reduce((sum, { count }) => sum + count, 0);
}

const expireCommand = fc.constant(
  command('lease expires', async (model, real) => {
    await real.expireLease();
    model.holder = undefined;
  }),
);

const releaseCommand = fc.integer({ min: 0, max: 2 }).map((back) =>
  command(`release ${back}`, async (model, real) => {
    const token = real.runs.at(-1 - back)?.token ?? 'none';
    await real.on.inbox.release(OWNER, token);
    if (token === model.holder) model.holder = undefined;
  }),
);

const timeCommand = fc.constant(
  command('time passes', async (model, real) => {
    await real.passTime();
    model.passTime();
  }),
);

const claimCommand = fc.constant(
  command('claim', async (model, real) => {
    const claimed = await real.on.inbox.claimOverdue(0, 0, 10);
    expect(claimed).toEqual(model.due().length > 0 ? [OWNER] : []);
  }),
);

const holdCommand = fc.integer({ min: 0, max: 2 }).map((back) =>
  command(`hold ${back}`, async (model, real) => {
    const token = real.runs.at(-1 - back)?.token ?? 'none';
    expect(await real.on.inbox.hold(OWNER, token, LEASE_MS)).toBe(token === model.holder);
  }),
);

/** Works off what is left; what comes out now is what was not settled before, no less and no more. */
async function drain(real: Real): Promise<void> {
  await real.expireLease();
  await real.passTime();
  for (;;) {
    const { token, begun } = await real.begin(2);
    if (begun.state === 'empty') return;
    const taken = resourcesOf(begun);
    real.settled += taken.flatMap(({ entries }) => entries).reduce((sum, { count }) => sum + count, 0);
    await real.on.inbox.settle(OWNER, token, allDone(taken));
  }
}

describe('inbox', () => {
  it('does in any order of calls, losses and waits what its model does, and loses and repeats nothing', async () => {
    const commands = fc.commands(
      [
        appendCommand,
        appendCommand,
        beginCommand,
        beginCommand,
        settleCommand,
        settleCommand,
        settleCommand,
        expireCommand,
        releaseCommand,
        timeCommand,
        claimCommand,
        holdCommand,
      ],
      { maxCommands: 60, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(commands, fc.constantFrom(2, 10_000), async (calls, mostResources) => {
        const real = new Real(mostResources);
        await using _keys = real.on;
        await fc.asyncModelRun(() => ({ model: new InboxModel(mostResources), real }), calls);
        await drain(real);
        expect(real.settled).toBe(real.appended);
        expect(await real.on.keys()).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
