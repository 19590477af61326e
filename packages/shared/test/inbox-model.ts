// What an inbox must do, in the plainest way: an owner's entries in memory, and the same calls on it.
import type { ChangeType } from '../src/index.ts';

export interface ModelEntry {
  readonly seq: number;
  readonly subscription: string;
  created: boolean;
  deleted: boolean;
  last: ChangeType | '';
  count: number;
  firstReceivedAt: number;
  lastReceivedAt: number;
  /** Empty where the news is that everything is to be read again. */
  newestId: string;
  /** A run has read it: nothing joins it any more. */
  read: boolean;
}

interface ModelResource {
  entries: ModelEntry[];
  attempts: number;
  waits: boolean;
  /** Runs that took it alone and have not settled. */
  lonelyStarts: number;
}

export interface Notice {
  readonly resource: string;
  readonly subscription: string;
  readonly change: ChangeType;
  readonly receivedAt: number;
  readonly id: string;
}

/** A notice, or what takes its place. */
type Stored = Omit<Notice, 'change'> & { readonly change: ChangeType | ''; readonly deletes?: boolean };

function readAgain({ subscription, change, receivedAt }: Notice): Stored {
  const deletes = change === 'deleted';
  return { resource: `resync/${subscription}`, subscription, change: '', deletes, receivedAt, id: '' };
}

export interface Verdict {
  readonly resource: string;
  readonly done: readonly string[];
  readonly waits: boolean;
}

export class InboxModel {
  resources = new Map<string, ModelResource>();
  /** Token of the run that holds the owner. */
  holder: string | undefined;
  starts = 0;
  /** Runs that still take one resource alone. */
  #solo = 0;
  #lastSeq = 0;
  readonly #mostResources: number;

  constructor(mostResources: number) {
    this.#mostResources = mostResources;
  }

  append(notice: Notice): void {
    const most = notice.change === 'deleted' ? 5 * this.#mostResources : this.#mostResources;
    const isOneTooMany = !this.resources.has(notice.resource) && this.resources.size >= most;
    this.#append(isOneTooMany ? readAgain(notice) : notice);
  }

  #append({ resource, subscription, change, deletes, receivedAt, id }: Stored): void {
    const known = this.resources.get(resource) ?? { entries: [], attempts: 0, waits: false, lonelyStarts: 0 };
    this.resources.set(resource, known);
    const open = known.entries.find((entry) => entry.subscription === subscription && !entry.read);
    const entry = open ?? this.#newEntry(subscription, change, receivedAt, id);
    if (!open) known.entries.push(entry);
    entry.count += 1;
    entry.created ||= change === 'created';
    entry.deleted ||= change === 'deleted' || deletes === true;
    entry.last = change;
    if (change === 'deleted') known.waits = false;
    entry.lastReceivedAt = Math.max(entry.lastReceivedAt, receivedAt);
    entry.newestId = id;
  }

  #newEntry(subscription: string, last: Stored['change'], receivedAt: number, newestId: string): ModelEntry {
    this.#lastSeq += 1;
    const receipts = { firstReceivedAt: receivedAt, lastReceivedAt: receivedAt };
    return {
      seq: this.#lastSeq,
      subscription,
      created: false,
      deleted: false,
      last,
      count: 0,
      newestId,
      read: false,
      ...receipts,
    };
  }

  due(): string[] {
    return [...this.resources].filter(([, { waits }]) => !waits).map(([resource]) => resource);
  }

  /** How many resources the next run takes: after three that did not settle, one alone, once around. */
  windowOfNext(window: number): number {
    return this.#solo > 0 || this.starts >= 3 ? 1 : window;
  }

  begin(token: string, taken: readonly string[]): void {
    this.holder = token;
    this.starts += 1;
    if (this.#solo === 0 && this.starts > 3) this.#solo = this.resources.size;
    for (const resource of taken) {
      const known = this.resources.get(resource);
      if (known && this.#solo > 0) known.lonelyStarts += 1;
      for (const entry of known?.entries ?? []) entry.read = true;
    }
  }

  settle(verdicts: readonly Verdict[]): void {
    this.holder = undefined;
    this.starts = 0;
    this.#solo = Math.max(0, this.#solo - 1);
    for (const { resource, done, waits } of verdicts) {
      const known = this.resources.get(resource);
      if (!known) continue;
      known.lonelyStarts = 0;
      known.entries = known.entries.filter(({ seq }) => !done.includes(String(seq)));
      if (known.entries.length === 0) this.resources.delete(resource);
      else if (waits) Object.assign(known, { waits: true, attempts: known.attempts + 1 });
      else if (done.length > 0) Object.assign(known, { waits: false, attempts: 0 });
    }
    // The numbers begin anew with the next entry of an owner that was empty.
    if (this.resources.size === 0) this.#lastSeq = this.#solo = 0;
  }

  passTime(): void {
    for (const known of this.resources.values()) known.waits = false;
  }
}
