/** The page of the subscriptions from what Redis knows and what is wanted. */
import type { WorkerContext } from '../context.ts';
import { fleetKeys, withFleetScripts } from '../subscriptions/fleet-keys.ts';
import { readRecordsFrom } from '../subscriptions/redis-fleet.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { type FleetReading, findFleetRows } from './find-fleet-rows.ts';
import { renderAway, renderFleet } from './fleet-page.ts';
import { type FleetQuery, readFleetQuery } from './fleet-query.ts';
import { LateError, within } from './within.ts';

/** Longer than a slow round trip. */
const PING_WITHIN_MS = 2000;
/** Of what is wanted, and the 40 slices that a page may take. */
const READ_WITHIN_MS = 10_000;

export function createFleetPage(
  { redis, names, wanted }: Pick<WorkerContext, 'redis' | 'names' | 'wanted'>,
  now: () => number,
  readWithinMs = READ_WITHIN_MS,
): (query: URLSearchParams) => Promise<string> {
  const [scripted, keys] = [withFleetScripts(redis), fleetKeys(names)];
  const byKey = createIndex();
  const read = async (query: FleetQuery, signal: AbortSignal) => {
    const { wishes, tenants } = byKey(await wanted.current());
    const readFrom: FleetReading['readFrom'] = (from, count) => readRecordsFrom(scripted, keys, from, count);
    const at = now();
    const found = await findFleetRows(query, { readFrom, wishes, now: at, signal });
    const all = tenants.union(new Set(found.rows.flatMap(({ tenant }) => tenant ?? [])));
    return renderFleet(query, found, at, all.size > 1);
  };
  return async (asked) => {
    const nobodyWaits = new AbortController();
    try {
      await within(PING_WITHIN_MS, redis.ping());
    } catch {
      return renderAway();
    }
    try {
      return await within(readWithinMs, read(readFleetQuery(asked), nobodyWaits.signal));
    } catch (error) {
      if (!(error instanceof LateError)) throw error;
      return renderAway();
    } finally {
      nobodyWaits.abort();
    }
  };
}

type Index = { readonly wishes: ReadonlyMap<string, Wish>; readonly tenants: ReadonlySet<string> };

/** Made anew only when the wishes are others: the source gives the same array until then. */
function createIndex() {
  let last: (Index & { readonly all: readonly Wish[] }) | undefined;
  return (all: readonly Wish[]): Index => {
    if (last?.all !== all) {
      const wishes = new Map(all.map((wish) => [wish.key, wish]));
      last = { all, wishes, tenants: new Set(all.map(({ tenantId }) => tenantId)) };
    }
    return last;
  };
}
