/**
 * A table of the events of all calendars as they are now, from the records of their topic, one after the other. What
 * records may do (come twice, go back, hold no data) is in docs/records.md; here is what to make of it.
 */

/** A record in structured mode; `null` is a tombstone. */
export type TopicRecord = { readonly key: string; readonly value: string | null };

/** What this table reads of a record's CloudEvent. Times are ISO 8601 in UTC, so that texts compare as times do. */
type ChangeEvent = {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly acquisition: 'fetched' | 'snapshot' | 'delta' | 'deleted' | 'notification' | 'reference';
  readonly receivedtime: string;
  readonly readtime?: string;
  readonly fallbackreason?: string;
  readonly data: Readonly<Record<string, unknown>>;
};

export type Row = {
  readonly key: string;
  /**
   * `current`: `data` is the event. `elsewhere`: too large for Kafka, `url` is where Graph has it. `unknown`: it has
   * changed since `data`, and `reason` says why nobody knows how. `deleted`: only until the table is left.
   */
  readonly state: 'current' | 'elsewhere' | 'unknown' | 'deleted';
  readonly data?: Readonly<Record<string, unknown>>;
  readonly url?: string;
  readonly reason?: string;
  /** The state is no older than this. */
  readonly asOf: string;
};

export type Applied = 'applied' | 'duplicate' | 'older' | 'not an event';

type Memory = {
  row: Row;
  /** News that was applied last. */
  lastNews: string;
  /** Deletions and fallbacks so far: they have no version, so that only their ids tell repeats. */
  readonly unversioned: Set<string>;
};

const EVENT_TYPE = /^Microsoft\.Graph\.Event(Created|Updated|Deleted)$/;

export class CurrentEvents {
  readonly #memory = new Map<string, Memory>();

  /** Those that exist; in no order. */
  rows(): Row[] {
    return [...this.#memory.values()].map(({ row }) => row).filter(({ state }) => state !== 'deleted');
  }

  /** To be called in the order of each partition. */
  apply({ key, value }: TopicRecord): Applied {
    if (value === null) return this.#bury(key);
    const event = JSON.parse(value) as ChangeEvent;
    if (!EVENT_TYPE.test(event.type)) return 'not an event';
    const news = `${event.source} ${event.id}`;
    const known = this.#memory.get(key);
    if (known?.lastNews === news || known?.unversioned.has(news)) return 'duplicate';
    if (known && event.readtime !== undefined && event.readtime < known.row.asOf) return 'older';
    const memory = known ?? { row: emptyRow(key), lastNews: news, unversioned: new Set() };
    memory.row = nextRow(memory.row, event);
    memory.lastNews = news;
    if (event.acquisition === 'deleted' || event.acquisition === 'notification') memory.unversioned.add(news);
    this.#memory.set(key, memory);
    return 'applied';
  }

  /** A tombstone says no more than the deletion before it; where that was compacted away, there is nothing to delete. */
  #bury(key: string): Applied {
    const known = this.#memory.get(key);
    if (known === undefined || known.row.state === 'deleted') return 'duplicate';
    // The mark stays, so that an older state that comes late is known to be older.
    known.row = { key, state: 'deleted', asOf: known.row.asOf };
    return 'applied';
  }
}

function emptyRow(key: string): Row {
  return { key, state: 'deleted', asOf: '' };
}

function nextRow({ key, data, asOf }: Row, event: ChangeEvent): Row {
  switch (event.acquisition) {
    case 'fetched':
    case 'snapshot':
    case 'delta':
      return { key, state: 'current', data: event.data, asOf: event.readtime ?? asOf };
    case 'reference': {
      const { url } = event.data.reference as { url: string };
      return { key, state: 'elsewhere', url, asOf: event.readtime ?? asOf };
    }
    case 'notification':
      return {
        key,
        state: 'unknown',
        ...(data ? { data } : {}),
        reason: event.fallbackreason ?? 'unknown',
        asOf,
      };
    case 'deleted':
      return { key, state: 'deleted', asOf: later(asOf, event.readtime ?? event.receivedtime) };
  }
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
