/** A page of the rows that are asked for; of a large fleet no more is read, and kept, than the page takes. */
import { type FleetRow, matchesRow, rowsOf } from '../listing/fleet-rows.ts';
import type { WishRecord } from '../subscriptions/fleet.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { type FleetQuery, LIVES } from './fleet-query.ts';

export type FoundRows = {
  readonly rows: readonly FleetRow[];
  /** Wishes that were looked at. */
  readonly looked: number;
  /** Where to go on; undefined at the end. */
  readonly next?: number;
};

export type FleetReading = {
  /** Wishes in the order in which they are looked at next. */
  readonly readFrom: (from: number, count: number) => Promise<readonly WishRecord[]>;
  readonly wishes: ReadonlyMap<string, Wish>;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Nobody waits for the rows any longer. */
  readonly signal: AbortSignal;
};

/** A page that a browser shows at once. */
export const MOST_FOUND = 100;
/** Some 200 kB from Redis. */
const SLICE = 500;
/** About a second: who looks for one among 100,000 goes on from page to page. */
export const MOST_LOOKED = 20_000;

export async function findFleetRows(query: FleetQuery, reading: FleetReading): Promise<FoundRows> {
  const rows: FleetRow[] = [];
  let looked = 0;
  while (looked < MOST_LOOKED) {
    reading.signal.throwIfAborted();
    const records = await reading.readFrom(query.from + looked, SLICE);
    for (const record of records) {
      rows.push(...matchingRows(record, query, reading));
      looked++;
      if (rows.length >= MOST_FOUND) return { rows, looked, next: query.from + looked };
    }
    if (records.length < SLICE) return { rows, looked };
  }
  return { rows, looked, next: query.from + looked };
}

function matchingRows(
  record: WishRecord,
  { state, text, within }: FleetQuery,
  { wishes, now }: FleetReading,
): FleetRow[] {
  const life = within === undefined ? undefined : LIVES[within];
  const test = { ...(state && { state }), ...(life && { expiresWithinMs: life.ms }) };
  return rowsOf(record, wishes.get(record.wish), now).filter((row) => {
    const { wish = '', resource = '', subscription = '' } = row;
    return matchesRow(row, test, now) && `${wish} ${resource} ${subscription}`.toLowerCase().includes(text);
  });
}
