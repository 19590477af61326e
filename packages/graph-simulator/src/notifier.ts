// Turns changes into notifications, applies delivery faults, and keeps one queue per endpoint.
import type { DeliverySettings } from './delivery-settings.ts';
import { type Attempt, EndpointQueue } from './endpoint-queue.ts';
import type { DeliveryFault, Faults } from './faults.ts';
import type { NotificationItem } from './notification-item.ts';
import type { PostOrder, PostOutcome } from './post-notifications.ts';

export interface NotifierDeps {
  readonly settings: DeliverySettings;
  readonly faults: Faults;
  readonly now: () => number;
  readonly random: () => number;
  readonly post: (order: PostOrder) => Promise<PostOutcome>;
  readonly isWanted: (item: NotificationItem) => boolean;
  readonly onAttempt: (attempt: Attempt) => void;
}

export interface NotifierCounters {
  /** Items that an endpoint has answered with 2xx. */
  readonly delivered: number;
  /** Items collected, under way, or waiting for another try. */
  readonly pending: number;
  readonly failedAttempts: number;
  /** Given up after retryForMs. */
  readonly abandoned: number;
  /** Not sent, as the subscription was gone. */
  readonly unwanted: number;
  /** Swallowed by a fault. */
  readonly dropped: number;
}

interface Held {
  readonly item: NotificationItem;
  readonly timer: NodeJS.Timeout;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/** How long an item that is to be overtaken waits for another that never comes. */
const REORDER_PATIENCE_MS = 250;
const IDLE_DEADLINE_MS = 30_000;

export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #queues = new Map<string, EndpointQueue>();
  /** Items that a fault keeps out of their queue for a while. */
  readonly #held = new Set<Held>();
  /** Of those, the ones to be let go behind the next item for their endpoint. */
  readonly #overtaken = new Map<string, Held[]>();
  readonly #waiters = new Set<Waiter>();
  readonly #counters = { delivered: 0, pending: 0, failedAttempts: 0, abandoned: 0, unwanted: 0, dropped: 0 };
  #isClosed = false;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
  }

  get counters(): NotifierCounters {
    return { ...this.#counters };
  }

  notify(item: NotificationItem): void {
    if (this.#isClosed) return;
    const fault = this.#deps.faults.takeForDelivery(item);
    if (fault === undefined) this.#enqueue(item);
    else this.#enqueueFaulty(item, fault);
  }

  /**
   * Resolves when nothing is queued, held, under way or waiting for another try.
   * @throws {Error} at the deadline, with what is still pending
   */
  idle({ timeoutMs = IDLE_DEADLINE_MS }: { timeoutMs?: number } = {}): Promise<void> {
    if (this.#counters.pending === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const text = `After ${timeoutMs} ms ${this.#counters.pending} notifications are still pending.`;
        waiter.reject(new Error(text));
      }, timeoutMs);
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        done();
      };
      const waiter: Waiter = {
        resolve: () => settle(resolve),
        reject: (reason) => settle(() => reject(reason)),
      };
      this.#waiters.add(waiter);
    });
  }

  /** Cuts off what is under way and forgets the rest. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { timer } of this.#held) clearTimeout(timer);
    this.#held.clear();
    for (const queue of this.#queues.values()) queue.close();
    for (const waiter of this.#waiters) waiter.reject(new Error('The notifier was closed.'));
  }

  #enqueue(item: NotificationItem): void {
    this.#counters.pending += 1;
    this.#push(item);
    const overtaken = this.#overtaken.get(item.notificationUrl);
    if (overtaken === undefined) return;
    this.#overtaken.delete(item.notificationUrl);
    for (const held of overtaken) this.#release(held);
  }

  #enqueueFaulty(item: NotificationItem, fault: DeliveryFault): void {
    if (fault.drop) {
      this.#counters.dropped += 1;
    } else if (fault.duplicate) {
      this.#enqueue(item);
      this.#enqueue(item);
    } else if (fault.delayMs !== undefined) {
      this.#hold(item, fault.delayMs);
    } else if (fault.reorder) {
      const held = this.#hold(item, REORDER_PATIENCE_MS);
      this.#overtaken.set(item.notificationUrl, [...(this.#overtaken.get(item.notificationUrl) ?? []), held]);
    } else {
      this.#enqueue(item);
    }
  }

  #hold(item: NotificationItem, delayMs: number): Held {
    this.#counters.pending += 1;
    const held: Held = { item, timer: setTimeout(() => this.#release(held), delayMs) };
    this.#held.add(held);
    return held;
  }

  #release(held: Held): void {
    if (!this.#held.delete(held)) return;
    clearTimeout(held.timer);
    this.#push(held.item);
  }

  #push(item: NotificationItem): void {
    this.#queue(item.notificationUrl).push(item);
  }

  #queue(url: string): EndpointQueue {
    const known = this.#queues.get(url);
    if (known !== undefined) return known;
    const { settings, now, random, post, isWanted } = this.#deps;
    const made = new EndpointQueue(url, {
      settings,
      now,
      random,
      post,
      isWanted,
      onAttempt: (attempt) => this.#noteAttempt(attempt),
      onLeft: (count, how) => this.#noteLeft(count, how),
    });
    this.#queues.set(url, made);
    return made;
  }

  #noteAttempt(attempt: Attempt): void {
    const { status } = attempt.outcome;
    if (status === null || status < 200 || status > 299) this.#counters.failedAttempts += 1;
    this.#deps.onAttempt(attempt);
  }

  #noteLeft(count: number, how: 'delivered' | 'abandoned' | 'unwanted'): void {
    this.#counters[how] += count;
    this.#counters.pending -= count;
    if (this.#counters.pending > 0) return;
    for (const waiter of this.#waiters) waiter.resolve();
  }
}
