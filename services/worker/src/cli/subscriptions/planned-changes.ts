/** The plan of the reconciliation as changes for people: what is done with which wish, and why. Pure. */
import { styleText } from 'node:util';
import { relative } from '../../listing/times.ts';
import { type Action, matches } from '../../subscriptions/renewal-plan.ts';
import { renewAt } from '../../subscriptions/renewal-time.ts';
import type { KnownSubscription } from '../../subscriptions/subscription-store.ts';
import type { Trouble } from '../../subscriptions/troubles.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import { sameSelect } from '../../subscriptions/watched-resource.ts';
import { plainText } from '../plain-text.ts';

export const CHANGES = ['create', 'adopt', 'renew', 'amend', 'recreate', 'delete'] as const;
export type ChangeKind = (typeof CHANGES)[number];

export type PlannedChange = {
  readonly change: ChangeKind;
  readonly wish: string;
  readonly tenant: string;
  readonly resource: string;
  /** The one that exists. */
  readonly subscription?: string;
  readonly why?: string;
  /** It failed before, for this reason. */
  readonly failed?: string;
  /** It serves well, and workers change it over bit by bit. */
  readonly later?: true;
};

/** What only tidies our own notes is left out. */
export function plannedChanges(
  actions: readonly Action[],
  troubles: ReadonlyMap<string, Trouble>,
  now: number,
): PlannedChange[] {
  return actions.flatMap((action) => {
    const change = changeOf(action, now);
    if (!change) return [];
    const trouble = troubles.get(change.wish);
    return [{ ...change, ...(trouble && { failed: `${trouble.reason}: ${trouble.detail}` }) }];
  });
}

function changeOf(action: Action, now: number): PlannedChange | undefined {
  switch (action.do) {
    case 'create':
      return action.replaces
        ? recreation(action, action.replaces, now)
        : { change: 'create', ...aboutWish(action.wish) };
    case 'renew':
      return renewal(action, now);
    case 'amend':
      return { change: 'amend', ...about(action), why: amendment(action.wish, action.subscription) };
    case 'close':
      return {
        change: 'amend',
        ...about(action),
        why: `what was missed is read: ${action.subscription.hole}`,
      };
    case 'adopt':
      return {
        change: 'adopt',
        ...aboutWish(action.wish),
        subscription: action.listed.id,
        why: 'it is at Graph and ours',
      };
    case 'delete': {
      const { id: subscription, wish, tenantId: tenant, resource } = action.subscription;
      return { change: 'delete', wish, tenant, resource, subscription, why: 'not wanted any more' };
    }
    case 'forget':
      return undefined;
  }
}

function aboutWish({ key: wish, tenantId: tenant, resource }: Wish) {
  return { wish, tenant, resource };
}

function about({ wish, subscription }: { readonly wish: Wish; readonly subscription: KnownSubscription }) {
  return { ...aboutWish(wish), subscription: subscription.id };
}

type Creation = Extract<Action, { do: 'create' }>;

const CHANGES_OVER: Readonly<Record<NonNullable<Creation['changesOver']>, string>> = {
  secret: 'it carries an old clientState secret',
  lifecycle: 'its lifecycle notifications go to another address than LIFECYCLE_NOTIFICATION_URL',
};

function recreation(
  { wish, lost, changesOver }: Creation,
  old: KnownSubscription,
  now: number,
): PlannedChange {
  const change = { change: 'recreate' as const, ...about({ wish, subscription: old }) };
  if (changesOver) return { ...change, why: CHANGES_OVER[changesOver], later: true };
  if (old.demand === 'recreate') return { ...change, why: 'Graph has removed it' };
  if (!lost) return { ...change, why: differences(old, wish) };
  return {
    ...change,
    why:
      old.expiresAt <= now
        ? `it expired ${relative(old.expiresAt, now)}`
        : 'it is gone at Graph, or its secret was taken away',
  };
}

/** What Graph cannot change in one that exists. */
function differences(old: KnownSubscription, wish: Wish): string {
  const differs = (name: string, was: string | undefined, is: string | undefined) =>
    was === is ? [] : [`${name} ${was ?? '-'} → ${is ?? '-'}`];
  const sorted = (types: string) => types.split(',').sort().join();
  const watched = matches(old, wish)
    ? []
    : [
        ...differs('resource', old.resource, wish.resource),
        ...differs('filter', old.filter, wish.filter),
        ...differs('changes', sorted(old.changeType), sorted(wish.changeType)),
        ...differs('rich', old.rich ? 'yes' : 'no', wish.rich ? 'yes' : 'no'),
        ...(wish.rich && !sameSelect(old.select, wish.select)
          ? differs('select', old.select?.join(), wish.select?.join())
          : []),
      ];
  const all = [
    ...watched,
    ...differs('topic', old.topic, wish.topic),
    ...differs('immutableIds', old.immutableIds ? 'yes' : 'no', wish.immutableIds ? 'yes' : 'no'),
  ];
  return all.join(', ');
}

function renewal(
  { wish, subscription, certificate, redirects }: Extract<Action, { do: 'renew' }>,
  now: number,
): PlannedChange {
  const change = { change: 'renew' as const, ...about({ wish, subscription }) };
  if (redirects) return { ...change, why: 'it notifies another address than NOTIFICATION_URL' };
  const ends = `it ends ${relative(subscription.expiresAt, now)}`;
  if (subscription.demand === 'renew') return { ...change, why: `Graph wants it; ${ends}` };
  const isDue = renewAt(subscription, wish) <= now;
  if (certificate && !isDue) return { ...change, why: `to the certificate ${certificate.id}`, later: true };
  return { ...change, why: isDue ? ends : `nobody has answered Graph for a while; ${ends}` };
}

function amendment(wish: Wish, { select, prefer = [], notificationOnly }: KnownSubscription): string {
  if (notificationOnly) return 'records show the notification alone; Graph is not told';
  const selected = select?.join(', ') ?? 'all properties';
  return `records show ${selected}${prefer.length > 0 ? ` as ${prefer.join('; ')}` : ''}${wish.rich ? '' : '; Graph is not told'}`;
}

const SIGNS: Readonly<
  Record<ChangeKind, { readonly sign: string; readonly colour: 'green' | 'yellow' | 'red' | 'cyan' }>
> = {
  create: { sign: '+', colour: 'green' },
  adopt: { sign: '=', colour: 'cyan' },
  renew: { sign: '~', colour: 'yellow' },
  amend: { sign: '~', colour: 'yellow' },
  recreate: { sign: '-/+', colour: 'red' },
  delete: { sign: '-', colour: 'red' },
};

/** `  + create    calendars/{user}` */
export function changeLine({ change, wish, why, failed, later }: PlannedChange, coloured: boolean): string {
  const { sign, colour } = SIGNS[change];
  const word = `${sign.padStart(3)} ${change.padEnd(8)}`;
  const shown = coloured ? styleText(colour, word, { validateStream: false }) : word;
  const notes = [why, later && 'bit by bit', failed && `failed before (${failed})`].filter((note) => note);
  return `${shown}  ${plainText([wish, ...notes].join('; '))}`;
}

/** `3 to create, 1 to delete` */
export function countsOfChanges(changes: readonly PlannedChange[]): string {
  const counts = CHANGES.map(
    (kind) => [kind, changes.filter(({ change }) => change === kind).length] as const,
  );
  const said = counts.filter(([, count]) => count > 0).map(([kind, count]) => `${count} to ${kind}`);
  return said.length === 0 ? 'nothing to do' : said.join(', ');
}

/** Requests to Graph that change something: one made anew is deleted and made. */
export function writesOf(changes: readonly PlannedChange[]): number {
  const WRITES: Readonly<Record<ChangeKind, number>> = {
    create: 1,
    adopt: 0,
    renew: 1,
    amend: 0,
    recreate: 2,
    delete: 1,
  };
  return changes.reduce((sum, { change }) => sum + WRITES[change], 0);
}
