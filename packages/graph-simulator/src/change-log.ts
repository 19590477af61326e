// The record of all that happened, in memory and as JSON lines in a file: what a delivery checker compares with Kafka.
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { LifecycleEvent } from './lifecycle-item.ts';
import type { ChangeType } from './resource-kinds.ts';

/** Times are epoch milliseconds of the simulator's clock; `resource` is canonical, "users/{id}/events/{id}". */
export type ChangeLogEntry = ChangeEntry | DeliveryEntry | ReadEntry | SubscriptionEntry | LifecycleEntry;

export interface ChangeEntry {
  readonly kind: 'change';
  readonly at: number;
  readonly tenantId: string;
  readonly resource: string;
  readonly changeType: ChangeType;
  readonly version: number;
  readonly etag: string;
  /** A live subscription wanted this change at that moment. */
  readonly subscribed: boolean;
}

/** What came of an attempt to deliver. */
export interface AttemptAnswer {
  readonly answeredAt: number | null;
  readonly status: number | null;
  /** "timeout" or the network's code, where no status came. */
  readonly error?: string;
}

/** One attempt to deliver one item. A POST with n items gives n entries. */
export interface DeliveryEntry extends AttemptAnswer {
  readonly kind: 'delivery';
  readonly at: number;
  readonly attempt: number;
  readonly subscriptionId: string;
  readonly resource: string;
  readonly changeType: ChangeType;
  readonly version: number;
  readonly etag: string;
  readonly tenantId: string;
}

/** A GET of a single resource: `at` is when its state was read, `version` null where none was. */
export interface ReadEntry {
  readonly kind: 'read';
  readonly at: number;
  readonly answeredAt: number;
  readonly resource: string;
  readonly version: number | null;
  readonly status: number;
  /** Of the app that has read; absent where its token told none. */
  readonly tenantId?: string;
}

export interface SubscriptionEntry {
  readonly kind: 'subscription';
  readonly at: number;
  readonly action: SubscriptionAction;
  readonly id: string;
  readonly tenantId: string;
  readonly resource: string;
  readonly expirationDateTime: string;
}

/** `deleted` by the app, `removed` by Graph. */
export type SubscriptionAction = 'created' | 'renewed' | 'reauthorized' | 'deleted' | 'removed' | 'expired';

/** One attempt to deliver one lifecycle notification. */
export interface LifecycleEntry extends AttemptAnswer {
  readonly kind: 'lifecycle';
  readonly at: number;
  readonly attempt: number;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly lifecycleEvent: LifecycleEvent;
}

export interface ChangeLogOptions {
  readonly file?: string | undefined;
  /** How many of the newest entries stay in memory; a long run with a file has no need of all. */
  readonly keepEntries?: number | undefined;
}

export class ChangeLog {
  readonly #stream: WriteStream | undefined;
  readonly #keepEntries: number;
  #entries: ChangeLogEntry[] = [];
  #unwritten: string[] = [];
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ChangeLogOptions = {}) {
    this.#keepEntries = options.keepEntries ?? Number.POSITIVE_INFINITY;
    if (options.file !== undefined) {
      this.#stream = createWriteStream(options.file, { flags: 'a' });
      // Kept and thrown by the next append or by close: a log with a hole would acquit the guilty.
      this.#stream.on('error', (failure) => {
        this.#failure = failure;
      });
    }
  }

  /** Resolves when the file is open. @throws where it cannot be */
  async opened(): Promise<void> {
    if (this.#stream?.pending) await once(this.#stream, 'open');
  }

  get entries(): readonly ChangeLogEntry[] {
    return this.#entries;
  }

  ofKind<K extends ChangeLogEntry['kind']>(kind: K): Extract<ChangeLogEntry, { kind: K }>[] {
    return this.#entries.filter(
      (entry): entry is Extract<ChangeLogEntry, { kind: K }> => entry.kind === kind,
    );
  }

  /** @throws the file's error, if an earlier write has failed. */
  append(entry: ChangeLogEntry): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) return;
    this.#entries.push(entry);
    // Trimmed in halves, since cutting the head off one by one costs time in proportion to the length.
    if (this.#entries.length > 2 * this.#keepEntries) this.#entries = this.#entries.slice(-this.#keepEntries);
    if (this.#stream === undefined) return;
    if (this.#unwritten.length === 0) setImmediate(() => this.#flush());
    this.#unwritten.push(JSON.stringify(entry));
  }

  #flush(): void {
    if (this.#unwritten.length === 0) return;
    this.#stream?.write(`${this.#unwritten.join('\n')}\n`);
    this.#unwritten = [];
  }

  /** Resolves when every line is in the file. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#stream === undefined) return;
    this.#flush();
    if (this.#failure !== undefined) throw this.#failure;
    this.#stream.end();
    await finished(this.#stream);
  }
}
