// The notifications for one endpoint: collected into POSTs, sent, and tried again.
//
// An item is pending until its POST got a 2xx, its subscription is gone, or it grew older than retryForMs. It moves
// waiting → (collectMs, or a full POST) → in flight → done, or → resting → due → in flight again. A failed POST is
// repeated with the same items; what is new goes ahead meanwhile, which is how order gets lost, as it does with Graph.
// An endpoint that was slow gets what is new late, or never.
import { type DeliverySettings, retryDelayMs } from './delivery-settings.ts';
import type { Admission, EndpointResponse } from './endpoint-rating.ts';
import type { LifecycleItem } from './lifecycle-item.ts';
import type { NotificationItem } from './notification-item.ts';
import type { PostOrder, PostOutcome } from './post-notifications.ts';
import type { Clock, ClockTimer } from './simulator-clock.ts';

/** What goes to endpoints: either of these, each with a queue of its own. */
export type QueuedItem = NotificationItem | LifecycleItem;

/** Why items left a queue for good: `lost` to the endpoint's slowness, `abandoned` after too many tries. */
export type Departure = 'delivered' | 'abandoned' | 'unwanted' | 'lost';

interface Batch {
  readonly items: readonly QueuedItem[];
  /** On the clock's `elapsed` scale. */
  readonly firstMs: number;
  readonly attempt: number;
}

export interface Attempt {
  readonly item: QueuedItem;
  readonly attempt: number;
  readonly at: number;
  readonly outcome: PostOutcome;
}

export interface EndpointQueueDeps {
  readonly settings: DeliverySettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly post: (order: PostOrder) => Promise<PostOutcome>;
  /** The JSON of a POST with these items. */
  readonly bodyOf: (items: readonly QueuedItem[]) => string | Promise<string>;
  /** False once the item's subscription is gone: nothing more is sent for it. */
  readonly isWanted: (item: QueuedItem) => boolean;
  /** Asked once for each item that arrives. */
  readonly admit: () => Admission;
  readonly onResponse: (response: EndpointResponse) => void;
  readonly onAttempt: (attempt: Attempt) => void;
  readonly onLeft: (items: readonly QueuedItem[], how: Departure) => void;
}

const isDelivered = ({ status }: PostOutcome) => status !== null && status >= 200 && status < 300;

export class EndpointQueue {
  readonly #url: string;
  readonly #deps: EndpointQueueDeps;
  readonly #closing = new AbortController();
  /** Of batches that rest, and of items that come late. */
  readonly #timers = new Set<ClockTimer>();
  #waiting: QueuedItem[] = [];
  #due: Batch[] = [];
  #collecting: ClockTimer | undefined;
  #inFlight = 0;

  constructor(url: string, deps: EndpointQueueDeps) {
    this.#url = url;
    this.#deps = deps;
  }

  push(item: QueuedItem): void {
    if (this.#closing.signal.aborted) return;
    const admission = this.#deps.admit();
    if (admission.kind === 'never') this.#deps.onLeft([item], 'lost');
    else if (admission.kind === 'later') this.#later(admission.delayMs, () => this.#collect(item));
    else this.#collect(item);
  }

  /** Stops at once: what is under way is cut off, what waits is forgotten. */
  close(): void {
    this.#closing.abort();
    this.#collecting?.cancel();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#waiting = [];
    this.#due = [];
  }

  #collect(item: QueuedItem): void {
    const { settings, clock } = this.#deps;
    this.#waiting.push(item);
    if (this.#waiting.length >= settings.maxItemsPerPost) this.#pump();
    else this.#collecting ??= clock.after(settings.collectMs, () => this.#pump());
  }

  #later(delayMs: number, action: () => void): void {
    const timer = this.#deps.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }

  #pump(): void {
    this.#collecting?.cancel();
    this.#collecting = undefined;
    while (this.#inFlight < this.#deps.settings.maxConcurrentPosts) {
      const batch = this.#due.shift() ?? this.#nextBatch();
      if (batch === undefined) return;
      const wanted = this.#keepWanted(batch);
      if (wanted.items.length > 0) void this.#send(wanted);
    }
  }

  #nextBatch(): Batch | undefined {
    if (this.#waiting.length === 0) return undefined;
    const items = this.#waiting.splice(0, this.#deps.settings.maxItemsPerPost);
    return { items, firstMs: this.#deps.clock.elapsed(), attempt: 1 };
  }

  #keepWanted(batch: Batch): Batch {
    const { isWanted, onLeft } = this.#deps;
    const items = batch.items.filter(isWanted);
    if (items.length < batch.items.length) {
      const wanted = new Set(items);
      onLeft(
        batch.items.filter((item) => !wanted.has(item)),
        'unwanted',
      );
    }
    return { ...batch, items };
  }

  async #send(batch: Batch): Promise<void> {
    const { settings, clock, post, bodyOf } = this.#deps;
    const timeoutMs = batch.attempt === 1 ? settings.firstTimeoutMs : settings.retryTimeoutMs;
    this.#inFlight += 1;
    const body = await bodyOf(batch.items);
    const at = clock.now();
    const startedMs = clock.elapsed();
    const outcome = await post({ url: this.#url, body, timeoutMs, closing: this.#closing.signal });
    this.#inFlight -= 1;
    if (this.#closing.signal.aborted) return;
    this.#noteResponse(batch, outcome, timeoutMs, clock.elapsed() - startedMs);
    for (const item of batch.items) this.#deps.onAttempt({ item, attempt: batch.attempt, at, outcome });
    if (isDelivered(outcome)) this.#deps.onLeft(batch.items, 'delivered');
    else this.#rest(batch);
    this.#pump();
  }

  /** A connection that failed at once is no response: Graph counts the slow ones. */
  #noteResponse({ items }: Batch, outcome: PostOutcome, timeoutMs: number, tookMs: number): void {
    const isAnswered = outcome.status !== null;
    const isTimeout = outcome.status === null && outcome.error === 'timeout';
    if (!isAnswered && !isTimeout) return;
    const notifications = items.length;
    this.#deps.onResponse({
      notifications,
      tookMs: isTimeout ? Math.max(tookMs, timeoutMs) : tookMs,
      isAnswered,
    });
  }

  #rest(batch: Batch): void {
    const { settings, clock, random, onLeft } = this.#deps;
    const delayMs = retryDelayMs(settings, batch.attempt, random());
    if (clock.elapsed() + delayMs > batch.firstMs + settings.retryForMs) {
      onLeft(batch.items, 'abandoned');
      return;
    }
    this.#later(delayMs, () => {
      this.#due.push({ ...batch, attempt: batch.attempt + 1 });
      this.#pump();
    });
  }
}
