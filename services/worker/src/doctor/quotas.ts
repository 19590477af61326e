/** Graph's quotas of subscriptions against those that are wanted (Graph: change-notifications-overview). Pure. */
import { parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { kindOfWatched } from '../resources/find-kind.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { count, error, ok, type Problem, type Remark, warning } from './finding.ts';

type Wanted = Pick<Wish, 'resource' | 'tenantId' | 'filter'>;

type Known = { readonly wish: Wanted; readonly kind: ResourceKind; readonly path: ResourcePath };

/** Writes of an app in a tenant: 500 in 20 s (Graph: throttling-limits). */
const WRITES_PER_SECOND = 25;

type Quota = {
  readonly most: number;
  /** `of 1,000 for …` */
  readonly of: string;
  /** What is counted together; undefined: not under this quota. */
  readonly key: (known: Known) => string | undefined;
  readonly cure: string;
};

const mailboxOf = ({ path: [owner] }: Known) =>
  owner?.word === 'users' && owner.id !== undefined ? `mailbox ${owner.id}` : undefined;

const QUOTAS: readonly Quota[] = [
  {
    most: 1000,
    of: 'events, messages and contacts of one mailbox, all apps together',
    key: (known) => (known.kind.mailbox ? mailboxOf(known) : undefined),
    cure: 'want fewer of this mailbox: whole calendars and mailboxes instead of folders',
  },
  {
    most: 100,
    of: 'users and groups, for an app in a tenant',
    key: ({ kind, wish }) => (kind.service === 'directory' ? `tenant ${wish.tenantId}` : undefined),
    cure: 'want users or groups as a whole (resource: users, resource: groups) instead of one by one',
  },
  {
    most: 10_000,
    of: 'what is in Teams, for an organisation, all apps together',
    key: ({ kind, wish }) => (kind.service === 'teams' ? `tenant ${wish.tenantId}` : undefined),
    cure: 'want chats and channels as a whole (chats/getAllMessages, teams/getAllMessages) instead of one by one',
  },
  {
    most: 100,
    of: 'call records, for an organisation, all apps together',
    key: ({ kind, wish }) => (kind.name === 'call record' ? `tenant ${wish.tenantId}` : undefined),
    cure: 'want one for all call records',
  },
];

/** Users that a filter of presences may name. */
const MOST_PRESENCES = 650;

/** One that is used to four fifths is near enough to be told: others may count towards it. */
const NEAR = 0.8;

export function judgeQuotas(wishes: readonly Wanted[]): Remark[] {
  const known = wishes.flatMap(knownOf);
  const problems = [...QUOTAS.flatMap((quota) => judge(quota, known)), ...judgePresences(known)];
  return [ok(`${summary(known)}; Graph lets that many be made in ${secondsFor(known)}`), ...problems];
}

function knownOf(wish: Wanted): Known[] {
  const parsed = parseResourcePath(wish.resource);
  const kind = parsed.ok ? kindOfWatched(parsed.path) : undefined;
  return parsed.ok && kind ? [{ wish, kind, path: parsed.path }] : [];
}

function summary(known: readonly Known[]): string {
  const kinds = Map.groupBy(known, ({ kind }) => kind.name);
  const each = [...kinds].map(([name, those]) => `${those.length.toLocaleString('en-US')} ${name}`);
  const wanted = `${count(known.length, 'subscription')} wanted (${each.join(', ')})`;
  const mailboxes = countBy(known, (one) => (one.kind.mailbox ? mailboxOf(one) : undefined));
  if (mailboxes.size === 0) return wanted;
  const most = Math.max(...mailboxes.values());
  const plural = mailboxes.size === 1 ? 'mailbox' : 'mailboxes';
  return `${wanted} of ${mailboxes.size.toLocaleString('en-US')} ${plural}, at most ${most} of the 1,000 of one`;
}

/** Of each tenant by itself. */
function secondsFor(known: readonly Known[]): string {
  const tenants = countBy(known, ({ wish }) => wish.tenantId);
  const seconds = Math.ceil(Math.max(0, ...tenants.values()) / WRITES_PER_SECOND);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
}

function countBy(known: readonly Known[], key: (known: Known) => string | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of known) {
    const name = key(one);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function judge({ most, of, key, cure }: Quota, known: readonly Known[]): Problem[] {
  return [...countBy(known, key)]
    .filter(([, number]) => number > most * NEAR)
    .map(([name, number]) => {
      const share = `${number.toLocaleString('en-US')} of ${most.toLocaleString('en-US')}`;
      const found = `${name}: ${share} subscriptions that Graph allows (${of})`;
      return number > most ? error(found, cure) : warning(found, cure);
    });
}

function judgePresences(known: readonly Known[]): Problem[] {
  return known.flatMap(({ kind, wish }) => {
    const users = kind.name === 'presence' ? (wish.filter?.match(/'[^']+'/g)?.length ?? 0) : 0;
    if (users <= MOST_PRESENCES) return [];
    const found = `a filter of presences names ${users} users, Graph takes ${MOST_PRESENCES}`;
    return [error(found, 'name fewer users in one filter')];
  });
}
