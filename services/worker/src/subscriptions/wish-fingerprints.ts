/** Tells whether what is wanted is still the same, without keeping what it was. Pure. */
import { createHash } from 'node:crypto';
import { type Watch, watchKey } from './renewal-plan.ts';
import type { Wish } from './wanted-subscriptions.ts';

/** Kept with the array, which is the same one while nothing has changed: a fleet may have 100,000. */
const byKey = new WeakMap<readonly Wish[], ReadonlyMap<string, Wish>>();

export function wishByKey(wishes: readonly Wish[]): ReadonlyMap<string, Wish> {
  const known = byKey.get(wishes) ?? new Map(wishes.map((wish) => [wish.key, wish]));
  byKey.set(wishes, known);
  return known;
}

const byWatch = new WeakMap<ReadonlyMap<string, Wish>, ReadonlyMap<string, Wish>>();

/** One that wants what is watched, if there is one; wishes are indexed when they are asked for. */
export function wishByWatch(wishes: ReadonlyMap<string, Wish>): (watch: Watch) => Wish | undefined {
  return (watch) => {
    const known = byWatch.get(wishes) ?? new Map([...wishes.values()].map((wish) => [watchKey(wish), wish]));
    byWatch.set(wishes, known);
    return known.get(watchKey(watch));
  };
}

const fingerprints = new WeakMap<readonly Wish[], string>();

export function fingerprintOfAll(wishes: readonly Wish[]): string {
  const known = fingerprints.get(wishes);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const wish of wishes) hash.update(JSON.stringify(wish)).update('\n');
  const fingerprint = hash.digest('base64url').slice(0, 22);
  fingerprints.set(wishes, fingerprint);
  return fingerprint;
}

/** Of one wish. */
export function fingerprintOf(wish: Wish): string {
  return createHash('sha256').update(JSON.stringify(wish)).digest('base64url').slice(0, 12);
}
