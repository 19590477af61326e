/** When a wish is to be looked at again, from what is known of it. Pure. */
import {
  findToMakeAnew,
  type Held,
  hasOldSecret,
  NO_WAY_BACK_MS,
  needsCertificate,
  tellsElsewhere,
} from './changeover.ts';
import type { WishRecord } from './fleet.ts';
import { type Circumstances, isDue } from './renewal-plan.ts';
import { REMEMBER_MS, renewAt, shareOf } from './renewal-time.ts';
import type { KnownSubscription } from './subscription-store.ts';
import { TROUBLES } from './troubles.ts';
import type { Wish } from './wanted-subscriptions.ts';

/** Between tries to change over to a new secret or certificate, of which there is a number each minute. */
export const CHANGEOVER_EVERY_MS = 60_000;

export type NextLook = {
  /** Epoch milliseconds, also in the past; undefined: never. */
  readonly at: number | undefined;
  /** It serves well and only is to be changed over to a new secret or certificate: this can be spread. */
  readonly forChangeover: boolean;
};

/** `wish`: undefined where it is wanted no more. */
export function nextLook(
  { subscriptions, trouble, intent }: WishRecord,
  wish: Wish | undefined,
  now: number,
  held: Held,
  seen: Circumstances,
): NextLook {
  const serving = servingOf(subscriptions);
  const changeover = wish && serving && changeoverAt(serving, subscriptions, wish, now, held);
  const work = (): number | undefined => {
    // No wait is longer than its reason allows: one that is was noted by a clock that was wrong.
    if (trouble && trouble.until > now)
      return Math.min(trouble.until, now + TROUBLES[trouble.reason].longestMs);
    // Before all else: what takes its place could not be made while it is there.
    if (!wish) return serving && now - 2 * YEAR_MS;
    if (!serving) return intent ? intent.settlesAt : now;
    const isWanted = serving.demand ?? serving.hole;
    // What is caught up with goes by its expiry, before all that is due in the ordinary way.
    if (isWanted !== undefined || isDue(serving, wish, now, seen)) return byEnd({ subscriptions }, now);
    return renewAt(serving, wish);
  };
  const forgetting = subscriptions.flatMap(({ replacedAt }) =>
    replacedAt === undefined ? [] : [replacedAt + REMEMBER_MS + 1],
  );
  const ordinary = earliest([work(), ...forgetting]);
  const at = earliest([ordinary, trouble ? undefined : changeover]);
  return { at, forChangeover: changeover !== undefined && at === changeover && at !== ordinary };
}

const YEAR_MS = 365 * 86_400_000;

/** A time before now at which it is due: earlier for what ends earlier; what has ended comes after what still can be kept. */
export function byEnd({ subscriptions }: Pick<WishRecord, 'subscriptions'>, now: number): number {
  const { expiresAt = 0 } = servingOf(subscriptions) ?? {};
  return expiresAt > now ? Math.min(now, expiresAt - YEAR_MS) : now;
}

/** Of several the one that lives longest. */
export function servingOf(subscriptions: readonly KnownSubscription[]): KnownSubscription | undefined {
  return subscriptions
    .filter(({ replacedAt }) => replacedAt === undefined)
    .reduce<KnownSubscription | undefined>(
      (best, one) => (best && best.expiresAt >= one.expiresAt ? best : one),
      undefined,
    );
}

function changeoverAt(
  serving: KnownSubscription,
  all: readonly KnownSubscription[],
  wish: Wish,
  now: number,
  held: Held,
): number | undefined {
  const soon = now + CHANGEOVER_EVERY_MS * (1 + shareOf(serving.wish) / 4);
  const { certificate } = held;
  const isNewNeeded = wish.rich && certificate && serving.certificateId !== certificate.id;
  if (isNewNeeded) return needsCertificate(serving, certificate, now) ? soon : now + NO_WAY_BACK_MS;
  if (!hasOldSecret(serving, held) && !tellsElsewhere(serving, held)) return undefined;
  if (findToMakeAnew(all, held, now).has(serving)) return soon;
  return Math.max(soon, (serving.servingSince ?? 0) + NO_WAY_BACK_MS);
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
