/** Which subscriptions a page of the admin port is asked for. Pure. */
import { LISTED_STATES, type ListedState } from '../listing/listed-states.ts';

export type FleetQuery = {
  readonly state?: ListedState;
  /** In lower case: a part of a wish, a path or an id. */
  readonly text: string;
  /** One of `LIVES`. */
  readonly within?: string;
  /** Wishes before the first that is looked at. */
  readonly from: number;
};

const HOUR_MS = 3_600_000;

/** What ends within that time, as it is asked for. */
export const LIVES: Readonly<Record<string, { readonly said: string; readonly ms: number }>> = {
  '1h': { said: '1 hour', ms: HOUR_MS },
  '24h': { said: '24 hours', ms: 24 * HOUR_MS },
  '3d': { said: '3 days', ms: 72 * HOUR_MS },
  '7d': { said: '7 days', ms: 168 * HOUR_MS },
};

/** Longer than any wish, path or id that somebody looks for. */
const LONGEST_TEXT = 200;

/** What is none is left out: a page has no exit code. */
export function readFleetQuery(query: URLSearchParams): FleetQuery {
  const state = LISTED_STATES.find((one) => one === query.get('state'));
  const within = query.get('expires') ?? '';
  const from = /^\d{1,9}$/.test(query.get('from') ?? '') ? Number(query.get('from')) : 0;
  return {
    ...(state && { state }),
    text: (query.get('text') ?? '').trim().toLowerCase().slice(0, LONGEST_TEXT),
    ...(Object.hasOwn(LIVES, within) && { within }),
    from,
  };
}

/** `?state=failing&from=100` */
export function queryText({ state, text, within, from }: FleetQuery): string {
  const fields = { ...(state && { state }), ...(text && { text }), ...(within && { expires: within }) };
  return `?${new URLSearchParams({ ...fields, ...(from > 0 && { from: String(from) }) })}`;
}
