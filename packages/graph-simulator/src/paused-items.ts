// Notifications that are kept back while their subscription is not authorized, for as long as Graph keeps trying.
import type { NotificationItem } from './notification-item.ts';
import type { Clock, ClockTimer } from './simulator-clock.ts';

export interface PausedItemsDeps {
  readonly clock: Clock;
  readonly keepForMs: number;
  readonly onTooOld: (item: NotificationItem) => void;
}

interface Paused {
  readonly item: NotificationItem;
  readonly timer: ClockTimer;
}

export class PausedItems {
  readonly #deps: PausedItemsDeps;
  readonly #bySubscription = new Map<string, Set<Paused>>();

  constructor(deps: PausedItemsDeps) {
    this.#deps = deps;
  }

  add(item: NotificationItem): void {
    const { clock, keepForMs, onTooOld } = this.#deps;
    const paused = this.#bySubscription.get(item.subscriptionId) ?? new Set();
    this.#bySubscription.set(item.subscriptionId, paused);
    const entry: Paused = {
      item,
      timer: clock.after(keepForMs, () => {
        paused.delete(entry);
        onTooOld(item);
      }),
    };
    paused.add(entry);
  }

  /** Those of a subscription, in order; they are kept no more. */
  take(subscriptionId: string): NotificationItem[] {
    const paused = [...(this.#bySubscription.get(subscriptionId) ?? [])];
    this.#bySubscription.delete(subscriptionId);
    for (const { timer } of paused) timer.cancel();
    return paused.map(({ item }) => item);
  }

  close(): void {
    for (const id of [...this.#bySubscription.keys()]) this.take(id);
  }
}
