/** What is known of the fleet, as Redis keeps it, in memory and without waiting: records by wish, due times, lease and state. */
import type { FleetState, WishRecord } from '../../../services/worker/src/subscriptions/fleet.ts';
import type { Intent } from '../../../services/worker/src/subscriptions/renewal-plan.ts';
import type { KnownSubscription } from '../../../services/worker/src/subscriptions/subscription-store.ts';
import type { Trouble } from '../../../services/worker/src/subscriptions/troubles.ts';
import type { Wish } from '../../../services/worker/src/subscriptions/wanted-subscriptions.ts';
import type { Changes } from './changes.ts';
import { DueTimes } from './due-times.ts';

type Entry = WishRecord & { dueAt: number };

export const LEASE_MS = 30_000;

export class KnownFleet {
  readonly due: DueTimes;
  readonly byId = new Map<string, KnownSubscription>();
  readonly lease = { holder: -1, until: Number.NEGATIVE_INFINITY };
  state: FleetState = {};
  /** How often it was taken for lost. */
  falseAlarms = 0;
  private readonly entries: Entry[];
  private readonly places: ReadonlyMap<string, number>;

  private readonly changes: Changes;

  constructor(wishes: readonly Wish[], changes: Changes) {
    this.changes = changes;
    this.due = new DueTimes(wishes.length);
    this.entries = wishes.map(({ key }) => ({
      wish: key,
      subscriptions: [],
      dueAt: Number.POSITIVE_INFINITY,
    }));
    this.places = new Map(wishes.map(({ key }, nth) => [key, nth]));
  }

  placeOf(wish: string): number {
    return this.places.get(wish) ?? -1;
  }

  record(wish: number): WishRecord {
    const entry = this.entries[wish];
    if (!entry) throw new Error(`there is no wish ${wish}`);
    return entry;
  }

  schedule(wish: number, at: number): void {
    this.due.set(wish, at);
    const entry = this.entries[wish];
    if (entry && entry.dueAt !== at) this.changes.note(wish);
    if (entry) entry.dueAt = at;
  }

  setState(changed: FleetState): void {
    this.state = { ...this.state, ...changed };
    if (changed.catchUp?.why === 'lost') this.falseAlarms++;
  }

  endSetback(wish: string): void {
    if (this.state.setback?.wish !== wish) return;
    const { setback: _setback, ...state } = this.state;
    this.state = state;
  }

  /** One that serves its wish ends what is intended for it. */
  save(wish: number, subscription: KnownSubscription): void {
    const { subscriptions, trouble, intent } = this.record(wish);
    const others = subscriptions.filter(({ id }) => id !== subscription.id);
    this.byId.set(subscription.id, subscription);
    const isServing = subscription.replacedAt === undefined;
    this.put(wish, [...others, subscription], trouble, isServing ? undefined : intent);
  }

  forget(wish: number, id: string): void {
    const { subscriptions, trouble, intent } = this.record(wish);
    this.byId.delete(id);
    this.put(
      wish,
      subscriptions.filter((one) => one.id !== id),
      trouble,
      intent,
    );
  }

  intend(wish: number, intent: Intent | undefined): void {
    const { subscriptions, trouble } = this.record(wish);
    this.put(wish, subscriptions, trouble, intent);
  }

  note(wish: number, trouble: Trouble | undefined): void {
    const { subscriptions, intent } = this.record(wish);
    this.put(wish, subscriptions, trouble, intent);
  }

  /** As Graph's lifecycle notification does it. */
  demandAnew(wish: number, id: string): void {
    const known = this.byId.get(id);
    if (!known || known.replacedAt !== undefined) return;
    this.save(wish, { ...known, demand: 'recreate' });
    this.schedule(wish, 0);
  }

  private put(
    wish: number,
    subscriptions: readonly KnownSubscription[],
    trouble: Trouble | undefined,
    intent: Intent | undefined,
  ): void {
    const { wish: key } = this.record(wish);
    const dueAt = this.due.get(wish);
    this.changes.note(wish);
    this.entries[wish] = {
      ...{ wish: key, subscriptions, dueAt },
      ...(trouble && { trouble }),
      ...(intent && { intent }),
    };
  }
}
