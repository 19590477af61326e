// The notifications for one endpoint: collected into POSTs, sent, and tried again.
//
// An item is pending until its POST got a 2xx, its subscription is gone, or it grew older than retryForMs. It moves
// waiting → (collectMs, or a full POST) → in flight → done, or → resting → due → in flight again. A failed POST is
// repeated with the same items; what is new goes ahead meanwhile, which is how order gets lost, as it does with Graph.
import { type DeliverySettings, retryDelayMs } from './delivery-settings.ts';
import type { NotificationItem } from './notification-item.ts';
import type { PostOrder, PostOutcome } from './post-notifications.ts';

interface Batch {
  readonly items: readonly NotificationItem[];
  readonly firstAt: number;
  readonly attempt: number;
}

export interface Attempt {
  readonly item: NotificationItem;
  readonly attempt: number;
  readonly at: number;
  readonly outcome: PostOutcome;
}

export interface EndpointQueueDeps {
  readonly settings: DeliverySettings;
  readonly now: () => number;
  readonly random: () => number;
  readonly post: (order: PostOrder) => Promise<PostOutcome>;
  /** False once the item's subscription is gone: nothing more is sent for it. */
  readonly isWanted: (item: NotificationItem) => boolean;
  readonly onAttempt: (attempt: Attempt) => void;
  /** Called when items left the queue for good, and how. */
  readonly onLeft: (count: number, how: 'delivered' | 'abandoned' | 'unwanted') => void;
}

const isDelivered = ({ status }: PostOutcome) => status !== null && status >= 200 && status < 300;

export class EndpointQueue {
  readonly #url: string;
  readonly #deps: EndpointQueueDeps;
  readonly #closing = new AbortController();
  readonly #resting = new Set<NodeJS.Timeout>();
  #waiting: NotificationItem[] = [];
  #due: Batch[] = [];
  #collecting: NodeJS.Timeout | undefined;
  #inFlight = 0;

  constructor(url: string, deps: EndpointQueueDeps) {
    this.#url = url;
    this.#deps = deps;
  }

  push(item: NotificationItem): void {
    if (this.#closing.signal.aborted) return;
    this.#waiting.push(item);
    if (this.#waiting.length >= this.#deps.settings.maxItemsPerPost) this.#pump();
    else this.#collecting ??= setTimeout(() => this.#pump(), this.#deps.settings.collectMs);
  }

  /** Stops at once: what is under way is cut off, what waits is forgotten. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#collecting);
    for (const timer of this.#resting) clearTimeout(timer);
    this.#resting.clear();
    this.#waiting = [];
    this.#due = [];
  }

  #pump(): void {
    clearTimeout(this.#collecting);
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
    return { items, firstAt: this.#deps.now(), attempt: 1 };
  }

  #keepWanted(batch: Batch): Batch {
    const items = batch.items.filter(this.#deps.isWanted);
    if (items.length < batch.items.length) this.#deps.onLeft(batch.items.length - items.length, 'unwanted');
    return { ...batch, items };
  }

  async #send(batch: Batch): Promise<void> {
    const { settings, now, post } = this.#deps;
    const timeoutMs = batch.attempt === 1 ? settings.firstTimeoutMs : settings.retryTimeoutMs;
    const body = `{"value":[${batch.items.map((item) => item.json).join(',')}]}`;
    const at = now();
    this.#inFlight += 1;
    const outcome = await post({ url: this.#url, body, timeoutMs, closing: this.#closing.signal });
    this.#inFlight -= 1;
    if (this.#closing.signal.aborted) return;
    for (const item of batch.items) this.#deps.onAttempt({ item, attempt: batch.attempt, at, outcome });
    if (isDelivered(outcome)) this.#deps.onLeft(batch.items.length, 'delivered');
    else this.#rest(batch);
    this.#pump();
  }

  #rest(batch: Batch): void {
    const { settings, now, random, onLeft } = this.#deps;
    const delayMs = retryDelayMs(settings, batch.attempt, random());
    if (now() + delayMs > batch.firstAt + settings.retryForMs) {
      onLeft(batch.items.length, 'abandoned');
      return;
    }
    const timer = setTimeout(() => {
      this.#resting.delete(timer);
      this.#due.push({ ...batch, attempt: batch.attempt + 1 });
      this.#pump();
    }, delayMs);
    this.#resting.add(timer);
  }
}
