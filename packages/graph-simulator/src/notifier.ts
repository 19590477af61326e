// Takes notifications, applies delivery faults and pauses, and keeps the queues of each endpoint.
import type { DeliverySettings } from './delivery-settings.ts';
import { type Attempt, type Departure, EndpointQueue, type QueuedItem } from './endpoint-queue.ts';
import { EndpointRating, type EndpointView } from './endpoint-rating.ts';
import type { DeliveryFault, Faults } from './faults.ts';
import type { Forgery } from './forgery-kinds.ts';
import type { LifecycleItem } from './lifecycle-item.ts';
import type { NotificationItem } from './notification-item.ts';
import { PausedItems } from './paused-items.ts';
import type { PostOrder, PostOutcome } from './post-notifications.ts';
import type { Clock, ClockTimer } from './simulator-clock.ts';

export interface NotifierDeps {
  readonly settings: DeliverySettings;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly random: () => number;
  readonly post: (order: PostOrder) => Promise<PostOutcome>;
  /** The JSON of a POST with these items. */
  readonly bodyOf: (items: readonly QueuedItem[]) => string | Promise<string>;
  /** The JSON that a forger would post in the item's place. */
  readonly forgedBodyOf: (item: NotificationItem, forgery: Forgery) => Promise<string>;
  readonly isWanted: (item: QueuedItem) => boolean;
  /** What becomes of a notification now: sent, or lost or held back, as its subscription is not authorized. */
  readonly pauseOf: (item: NotificationItem) => 'none' | 'lose' | 'hold';
  readonly onAttempt: (attempt: Attempt) => void;
  /** Notifications that will never arrive, through no fault of a test. */
  readonly onLost: (items: readonly NotificationItem[]) => void;
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
  /** Sent by a forger. */
  readonly forged: number;
  /** Not sent, as the endpoint had been too slow: its state was "drop". */
  readonly lost: number;
  /** Not sent, as the subscription was not reauthorized. */
  readonly paused: number;
}

/** An endpoint, without the query of its address, which may hold a secret. */
export interface EndpointReport extends EndpointView {
  readonly url: string;
}

interface Held {
  readonly item: NotificationItem;
  readonly timer: ClockTimer;
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
  readonly #ratings = new Map<string, EndpointRating>();
  readonly #paused: PausedItems;
  /** Items that a fault keeps out of their queue for a while. */
  readonly #held = new Set<Held>();
  /** Of those, the ones to be let go behind the next item for their endpoint. */
  readonly #overtaken = new Map<string, Held[]>();
  readonly #waiters = new Set<Waiter>();
  readonly #counters = {
    delivered: 0,
    pending: 0,
    failedAttempts: 0,
    abandoned: 0,
    unwanted: 0,
    dropped: 0,
    forged: 0,
    lost: 0,
    paused: 0,
  };
  readonly #closing = new AbortController();
  #isClosed = false;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    this.#paused = new PausedItems({
      clock: deps.clock,
      keepForMs: deps.settings.retryForMs,
      onTooOld: (item) => this.#noteLeft([item], 'abandoned'),
    });
  }

  get counters(): NotifierCounters {
    return { ...this.#counters };
  }

  notify(item: NotificationItem): void {
    if (this.#isClosed) return;
    const pause = this.#deps.pauseOf(item);
    if (pause === 'lose') this.#counters.paused += 1;
    else if (pause === 'hold') this.#pause(item);
    else this.#notifyNow(item);
  }

  /** Lifecycle notifications know neither faults nor pauses, and are sent to slow endpoints too. */
  notifyLifecycle(item: LifecycleItem): void {
    if (this.#isClosed) return;
    this.#counters.pending += 1;
    this.#queue('lifecycle', item.notificationUrl).push(item);
  }

  /** Lets go what was held back while a subscription was not authorized. */
  release(subscriptionId: string): void {
    for (const item of this.#paused.take(subscriptionId)) this.#push(item);
  }

  /** Every endpoint that was ever sent to, and how it is rated now. */
  endpoints(): EndpointReport[] {
    const nowMs = this.#deps.clock.elapsed();
    return [...this.#ratings].map(([url, rating]) => ({ url: withoutQuery(url), ...rating.view(nowMs) }));
  }

  #pause(item: NotificationItem): void {
    this.#counters.pending += 1;
    this.#paused.add(item);
  }

  #notifyNow(item: NotificationItem): void {
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
    this.#closing.abort();
    for (const { timer } of this.#held) timer.cancel();
    this.#held.clear();
    this.#paused.close();
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
    } else if (fault.forge !== undefined) {
      if (fault.duplicate) this.#enqueue(item);
      void this.#sendForged(item, fault.forge);
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

  /** Once, as a forger learns nothing from the answer; and apart from the queue, whose state is Graph's. */
  async #sendForged(item: NotificationItem, forgery: Forgery): Promise<void> {
    const { forgedBodyOf, post, settings } = this.#deps;
    this.#counters.pending += 1;
    const body = await forgedBodyOf(item, forgery);
    const closing = this.#closing.signal;
    if (!closing.aborted) {
      await post({ url: item.notificationUrl, body, timeoutMs: settings.firstTimeoutMs, closing });
    }
    this.#counters.forged += 1;
    this.#noteFewer(1);
  }

  #hold(item: NotificationItem, delayMs: number): Held {
    this.#counters.pending += 1;
    const held: Held = { item, timer: this.#deps.clock.after(delayMs, () => this.#release(held)) };
    this.#held.add(held);
    return held;
  }

  #release(held: Held): void {
    if (!this.#held.delete(held)) return;
    held.timer.cancel();
    this.#push(held.item);
  }

  #push(item: NotificationItem): void {
    this.#queue('change', item.notificationUrl).push(item);
  }

  #queue(kind: 'change' | 'lifecycle', url: string): EndpointQueue {
    const name = `${kind} ${url}`;
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const { settings, clock, random, post, bodyOf, isWanted } = this.#deps;
    const rating = this.#rating(url);
    const made = new EndpointQueue(url, {
      settings,
      clock,
      random,
      post,
      bodyOf,
      isWanted,
      admit: () => (kind === 'lifecycle' ? { kind: 'now' } : rating.admit(clock.elapsed())),
      onResponse: (response) => rating.record(response, clock.elapsed()),
      onAttempt: (attempt) => this.#noteAttempt(attempt),
      onLeft: (items, how) => this.#noteLeft(items, how),
    });
    this.#queues.set(name, made);
    return made;
  }

  /** Of all that is sent to one address, whatever the subscription. */
  #rating(url: string): EndpointRating {
    const known = this.#ratings.get(url);
    if (known !== undefined) return known;
    const made = new EndpointRating(this.#deps.settings.endpoints, this.#deps.settings);
    this.#ratings.set(url, made);
    return made;
  }

  #noteAttempt(attempt: Attempt): void {
    const { status } = attempt.outcome;
    if (status === null || status < 200 || status > 299) this.#counters.failedAttempts += 1;
    this.#deps.onAttempt(attempt);
  }

  #noteLeft(items: readonly QueuedItem[], how: Departure): void {
    this.#counters[how] += items.length;
    if (how === 'abandoned' || how === 'lost') this.#deps.onLost(items.filter(isChange));
    this.#noteFewer(items.length);
  }

  #noteFewer(count: number): void {
    this.#counters.pending -= count;
    if (this.#counters.pending > 0) return;
    for (const waiter of this.#waiters) waiter.resolve();
  }
}

const isChange = (item: QueuedItem): item is NotificationItem => !('lifecycleEvent' in item);

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
