/** Whether a wish is served just as it should be, so that neither the plan nor its next look has to be thought of. Pure. */
import { type Held, tellsElsewhere } from './changeover.ts';
import type { WishRecord } from './fleet.ts';
import { type Circumstances, isOfBefore, type ListedSubscription } from './renewal-plan.ts';
import { renewAt } from './renewal-time.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { Wish } from './wanted-subscriptions.ts';

export type View = {
  readonly held: Held;
  /** Graph's list by id, where it was asked for. */
  readonly listed: ReadonlyMap<string, ListedSubscription> | undefined;
  readonly seen: Circumstances;
};

/**
 * One subscription, spelled as the wish is, with the newest secret and certificate, that Graph lists with the end that we know,
 * and that is looked at when its renewal is due. What this does not see to be in order may be so all the same: the plan
 * tells (`settled.test.ts` holds the two against each other).
 */
export function isSettled(
  { subscriptions, trouble, intent, dueAt }: WishRecord,
  wish: Wish,
  now: number,
  { held, listed, seen }: View,
): boolean {
  const [one] = subscriptions;
  if (!one || subscriptions.length > 1 || trouble || intent) return false;
  if (one.replacedAt !== undefined || one.demand !== undefined || one.hole !== undefined) return false;
  if (!isAlike(one, wish) || !isNewest(one, wish, held)) return false;
  if (isOfBefore(one, seen)) return false;
  if (listed && !isListed(one, listed.get(one.id), held)) return false;
  const due = renewAt(one, wish);
  return due > now && due === dueAt;
}

function isListed(
  { expiresAt, lifecycle: known }: KnownSubscription,
  listed: ListedSubscription | undefined,
  { lifecycle }: Held,
): boolean {
  if (listed === undefined || listed.elsewhere !== undefined || listed.expiresAt !== expiresAt) return false;
  return known !== undefined || listed.lifecycle === undefined || listed.lifecycle === lifecycle;
}

function isNewest(one: KnownSubscription, { rich }: Wish, held: Held): boolean {
  const { secrets, certificate } = held;
  if (secrets !== undefined && one.secret !== secrets[0]) return false;
  if (tellsElsewhere(one, held)) return false;
  return rich !== true || one.certificateId === certificate?.id;
}

function isAlike(one: KnownSubscription, wish: Wish): boolean {
  return (
    one.resource === wish.resource &&
    one.tenantId === wish.tenantId &&
    one.changeType === wish.changeType &&
    one.topic === wish.topic &&
    one.filter === wish.filter &&
    (one.rich === true) === (wish.rich === true) &&
    (one.immutableIds === true) === (wish.immutableIds === true) &&
    (one.notificationOnly === true) === (wish.notificationOnly === true) &&
    isSameList(one.select, wish.select) &&
    isSameList(one.prefer, wish.prefer)
  );
}

function isSameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === b || (a?.length === b?.length && a?.join('\n') === b?.join('\n'));
}
