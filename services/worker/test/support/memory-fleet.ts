/**
 * What is known of the subscriptions, in memory: the same rules as Redis keeps (`fleet-scripts.ts`), for loops over
 * simulated time. `step` is awaited before everything, so that a test can hold up, kill, or let another one go first.
 */
import {
  type Fleet,
  type FleetCounts,
  type FleetState,
  type HeldFleet,
  LeaseLostError,
  type Progress,
  type SecretCount,
  type WishRecord,
} from '../../src/subscriptions/fleet.ts';
import type { Intent } from '../../src/subscriptions/renewal-plan.ts';
import type { KnownSubscription } from '../../src/subscriptions/subscription-store.ts';
import type { Trouble, TroubleReason } from '../../src/subscriptions/troubles.ts';

export type Step = (what: string) => Promise<void>;

const LEASE_MS = 30_000;

export class MemoryFleet {
  readonly subscriptions = new Map<string, KnownSubscription>();
  readonly byWish = new Map<string, Set<string>>();
  readonly troubles = new Map<string, Trouble>();
  readonly intents = new Map<string, Intent>();
  readonly due = new DueTimes();
  state: FleetState = {};
  progress: Progress | undefined;
  /** By wish, until something of it changes. */
  private readonly kept = new Map<string, WishRecord>();
  private readonly changed = new Set<string>();
  private readonly counted = new Map<string, number>();
  private lease = { token: 0, until: Number.NEGATIVE_INFINITY };
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** As one process sees it. */
  seenBy(step: Step): Fleet {
    const look: Fleet['look'] = async (now, limit) => {
      await step('look');
      return { state: this.state, due: this.due.until(now, limit) };
    };
    const counts = async () => this.counts();
    return {
      look,
      counts,
      progress: async () => this.progress,
      next: async (limit) => this.due.until(Number.POSITIVE_INFINITY, limit).flatMap((key) => this.of(key)),
      hold: async () => {
        await step('hold');
        if (this.now() < this.lease.until) return undefined;
        this.lease = { token: this.lease.token + 1, until: this.now() + LEASE_MS };
        return this.heldBy(this.lease.token, step, { look, counts });
      },
    };
  }

  of(wish: string): KnownSubscription[] {
    return [...(this.byWish.get(wish) ?? [])].flatMap((id) => this.subscriptions.get(id) ?? []);
  }

  /** As Graph's lifecycle notifications do it. */
  demand(id: string, demand: 'renew' | 'recreate'): void {
    const known = this.subscriptions.get(id);
    if (known?.replacedAt !== undefined || !known) return;
    this.subscriptions.set(id, { ...known, demand });
    this.due.set(known.wish, 0);
    this.changed.add(known.wish);
  }

  clear(): void {
    for (const one of [this.subscriptions, this.byWish, this.troubles, this.intents]) one.clear();
    this.due.clear();
    this.kept.clear();
    this.changed.clear();
    this.counted.clear();
    this.state = {};
  }

  private heldBy(token: number, step: Step, reading: Pick<Fleet, 'look' | 'counts'>): HeldFleet {
    const check = () => {
      if (this.lease.token !== token || this.now() >= this.lease.until) throw new LeaseLostError('lost');
      this.lease.until = this.now() + LEASE_MS;
    };
    const write =
      <A extends unknown[]>(what: string, act: (...given: A) => void) =>
      async (...given: A): Promise<void> => {
        await step(what);
        check();
        act(...given);
      };
    return {
      ...reading,
      check,
      read: async (wishes) => {
        await step('read');
        return wishes.map((wish) => this.record(wish));
      },
      all: async () => {
        await step('all');
        check();
        return { records: this.records(), byId: this.subscriptions };
      },
      find: async (ids) => ids.flatMap((id) => this.subscriptions.get(id) ?? []),
      countDue: async (now) => this.due.count(now),
      save: write('save', (subscription) => this.change(subscription.wish, () => this.save(subscription))),
      forget: write('forget', (id) => {
        const wish = this.subscriptions.get(id)?.wish;
        if (wish !== undefined) this.change(wish, () => this.forget(wish, id));
      }),
      intend: write('intend', (wish, intent) => {
        put(this.intents, wish, intent);
        this.changed.add(wish);
      }),
      note: write('note', (wish, trouble) => this.change(wish, () => put(this.troubles, wish, trouble))),
      schedule: write('schedule', (at) => {
        for (const [wish, ms] of at) {
          this.due.set(wish, ms);
          this.changed.add(wish);
        }
      }),
      setState: write('setState', (changed) => {
        this.state = JSON.parse(JSON.stringify({ ...this.state, ...changed })) as FleetState;
      }),
      setProgress: write('setProgress', (progress) => {
        this.progress = progress;
      }),
      release: async () => {
        if (this.lease.token === token) this.lease.until = Number.NEGATIVE_INFINITY;
      },
    };
  }

  private save({ demand, ...subscription }: KnownSubscription): void {
    const { id, wish, replacedAt, expiresAt } = subscription;
    const old = this.subscriptions.get(id);
    const isRenewed = old !== undefined && old.expiresAt !== expiresAt && old.demand === 'renew';
    const kept = demand ?? (isRenewed || replacedAt !== undefined ? undefined : old?.demand);
    this.subscriptions.set(id, { ...subscription, ...(kept && { demand: kept }) });
    const ids = this.byWish.get(wish) ?? new Set();
    this.byWish.set(wish, ids.add(id));
    if (replacedAt === undefined) this.intents.delete(wish);
  }

  private forget(wish: string, id: string): void {
    this.subscriptions.delete(id);
    this.byWish.get(wish)?.delete(id);
    if (this.byWish.get(wish)?.size === 0) this.byWish.delete(wish);
  }

  private record(wish: string): WishRecord {
    const [trouble, intent] = [this.troubles.get(wish), this.intents.get(wish)];
    return { wish, subscriptions: this.of(wish), ...(trouble && { trouble }), ...(intent && { intent }) };
  }

  private records(): WishRecord[] {
    for (const wish of this.changed) {
      const dueAt = this.due.get(wish);
      const isKnown = [this.byWish, this.troubles, this.intents].some((one) => one.has(wish));
      const record = { ...this.record(wish), ...(dueAt !== undefined && { dueAt }) };
      put(this.kept, wish, isKnown || dueAt !== undefined ? record : undefined);
    }
    this.changed.clear();
    return [...this.kept.values()];
  }

  /** Before and after something of a wish is changed. */
  private count(wish: string, by: 1 | -1): void {
    const reason = this.troubles.get(wish)?.reason;
    if (reason) add(this.counted, `trouble ${reason}`, by);
    for (const id of this.byWish.get(wish) ?? []) {
      const one = this.subscriptions.get(id);
      if (one)
        add(
          this.counted,
          `${one.replacedAt === undefined ? 'serving' : 'replaced'} ${one.tenantId} ${one.secret ?? '-'}`,
          by,
        );
    }
  }

  private change(wish: string, act: () => void): void {
    this.count(wish, -1);
    act();
    this.count(wish, 1);
    this.changed.add(wish);
  }

  private counts(): FleetCounts {
    const troubles: Partial<Record<TroubleReason, number>> = {};
    const subscriptions: SecretCount[] = [];
    for (const [name, count] of this.counted) {
      const [is = '', what = '', secret = '-'] = name.split(' ');
      if (is === 'trouble') troubles[what as TroubleReason] = count;
      else subscriptions.push({ is: is as SecretCount['is'], tenantId: what, secret, count });
    }
    return { subscriptions, troubles };
  }
}

function add(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** A heap of times; what was set anew is left behind in it, and dropped when it comes up. */
class DueTimes {
  private readonly at = new Map<string, number>();
  private heap: [number, string][] = [];

  get(wish: string): number | undefined {
    return this.at.get(wish);
  }

  count(now: number): number {
    let count = 0;
    for (const ms of this.at.values()) if (ms <= now) count++;
    return count;
  }

  set(wish: string, ms: number | undefined): void {
    if (ms === undefined) {
      this.at.delete(wish);
      return;
    }
    if (this.at.get(wish) === ms) return;
    this.at.set(wish, ms);
    this.push([ms, wish]);
  }

  clear(): void {
    this.at.clear();
    this.heap = [];
  }

  until(now: number, limit: number): string[] {
    const found: [number, string][] = [];
    while (found.length < limit) {
      const [top] = this.heap;
      if (!top || top[0] > now) break;
      this.pop();
      if (this.at.get(top[1]) === top[0] && found.at(-1)?.[1] !== top[1]) found.push(top);
    }
    for (const one of found) this.push(one);
    return [...new Set(found.map(([, wish]) => wish))];
  }

  private push(one: [number, string]): void {
    const { heap } = this;
    let i = heap.push(one) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (before(heap, parent, i)) break;
      swap(heap, i, parent);
      i = parent;
    }
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < heap.length && !before(heap, least, left)) least = left;
      if (right < heap.length && !before(heap, least, right)) least = right;
      if (least === i) return;
      swap(heap, i, least);
      i = least;
    }
  }
}

function before(heap: readonly [number, string][], a: number, b: number): boolean {
  return (heap[a]?.[0] ?? 0) <= (heap[b]?.[0] ?? 0);
}

function swap(heap: [number, string][], a: number, b: number): void {
  const [one, other] = [heap[a], heap[b]];
  if (one && other) [heap[a], heap[b]] = [other, one];
}
