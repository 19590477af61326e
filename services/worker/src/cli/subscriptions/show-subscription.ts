/** `g2k show`: all that is known of a wish and its subscriptions; what proves a notification (nonce, secret) is left out. */

import { rowsOf } from '../../listing/fleet-rows.ts';
import { iso, relative, span } from '../../listing/times.ts';
import type { WishRecord } from '../../subscriptions/fleet.ts';
import { isByHand } from '../../subscriptions/made-by-hand.ts';
import type { KnownSubscription } from '../../subscriptions/subscription-store.ts';
import { TROUBLES } from '../../subscriptions/troubles.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import { plainJson, plainText } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';
import { findSubject } from './find-subjects.ts';
import type { KnownFleet } from './known-fleet.ts';

/** Resolves to the exit code. Rejects with a `CommandError` where it is not known. */
export async function showSubscription(
  { subject, json }: { readonly subject: string; readonly json: boolean },
  known: KnownFleet,
  terminal: Terminal,
  now: number,
): Promise<number> {
  const wishes = await known.wishes();
  const { record, wish } = findSubject(subject, await known.records(), wishes);
  if (json) {
    terminal.out(plainJson(jsonOf(record, wish), 2));
    return 0;
  }
  for (const line of linesOf(record, wish, wishes !== undefined, now)) terminal.out(line);
  return 0;
}

/** Pure. */
export function linesOf(
  record: WishRecord,
  wish: Wish | undefined,
  isFileKnown: boolean,
  now: number,
): string[] {
  const { wish: key, subscriptions, trouble, intent, dueAt } = record;
  const byHand = subscriptions.some(isByHand);
  const state = rowsOf(record, wish, now)[0]?.state;
  const isWanted = wish ? 'yes' : isFileKnown ? 'no' : 'not known: SUBSCRIPTIONS_FILE is not set';
  const when = (at: number) => `${iso(at)} (${relative(at, now)})`;
  const fields: (readonly [string, string | undefined])[] = [
    ['wish', byHand ? '- (made by hand)' : key],
    ['state', state ?? 'not wanted any more'],
    ['wanted', byHand ? undefined : isWanted],
    ...(wish ? wishFields(wish) : []),
    ['next look', dueAt === undefined || byHand ? undefined : when(dueAt)],
    ['failure', trouble && `${trouble.reason}: ${TROUBLES[trouble.reason].means}`],
    ['  said', trouble?.detail],
    ['  since', trouble && `${when(trouble.since)}, ${trouble.tries} tr${trouble.tries === 1 ? 'y' : 'ies'}`],
    ['  next try', trouble && when(trouble.until)],
    ['asked for', intent && `its answer was lost; Graph’s list tells from ${when(intent.settlesAt)} on`],
  ];
  const history = subscriptions
    .toSorted((a, b) => (a.servingSince ?? 0) - (b.servingSince ?? 0))
    .flatMap((one) => ['', ...fieldLines(subscriptionFields(one, when))]);
  return [...fieldLines(fields), ...history];
}

function wishFields({ tenantId, resource, filter, changeType, topic, lifeMinutes, rich, select }: Wish) {
  return [
    ['tenant', tenantId],
    ['resource', resource],
    ['filter', filter],
    ['changes', changeType],
    ['topic', topic],
    ['life', span(lifeMinutes * 60_000)],
    ['rich', rich ? 'yes' : undefined],
    ['select', select?.join(', ')],
  ] as const;
}

function subscriptionFields(one: KnownSubscription, when: (at: number) => string) {
  const at = (time: number | undefined) => (time === undefined ? undefined : when(time));
  const renewedAt = one.grantedAt === one.servingSince ? undefined : one.grantedAt;
  const isReplaced = one.replacedAt !== undefined && !isByHand(one);
  return [
    ['subscription', one.id],
    ['  resource', one.resource],
    ['  filter', one.filter],
    ['  changes', one.changeType],
    ['  made', at(one.servingSince)],
    ['  renewed', at(renewedAt)],
    ['  expires', at(one.expiresAt)],
    ['  replaced', isReplaced ? at(one.replacedAt) : undefined],
    ['  demanded', one.demand === 'renew' ? 'Graph wants it renewed' : one.demand && 'it is to be made anew'],
    ['  hole', one.hole],
    ['  certificate', one.certificateId],
  ] as const;
}

function fieldLines(fields: readonly (readonly [string, string | undefined])[]): string[] {
  return fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(14)}${plainText(value)}`.trimEnd()],
  );
}

function jsonOf({ wish: key, subscriptions, trouble, intent, dueAt }: WishRecord, wish: Wish | undefined) {
  return {
    wish: key,
    ...(wish && { wanted: wish }),
    ...(dueAt !== undefined && { nextLook: iso(dueAt) }),
    ...(trouble && {
      failure: {
        reason: trouble.reason,
        detail: trouble.detail,
        since: iso(trouble.since),
        tries: trouble.tries,
        nextTry: iso(trouble.until),
      },
    }),
    ...(intent && { askedFor: { settles: iso(intent.settlesAt) } }),
    subscriptions: subscriptions.map(shownOf),
  };
}

function shownOf(one: KnownSubscription) {
  const { nonce: _nonce, secret: _secret, servingSince, grantedAt, expiresAt, replacedAt, ...shown } = one;
  return {
    ...shown,
    ...(servingSince !== undefined && { made: iso(servingSince) }),
    ...(grantedAt !== undefined && { granted: iso(grantedAt) }),
    expires: iso(expiresAt),
    ...(isByHand(one) ? { byHand: true } : replacedAt !== undefined && { replaced: iso(replacedAt) }),
  };
}
