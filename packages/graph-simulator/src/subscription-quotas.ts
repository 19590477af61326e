// How many subscriptions Graph lets be active at once, and whom each counts against.
//
// Graph page "Set up notifications for changes in resource data", limitations of the supported resources (April 2026).
import type { ResourcePath } from './resource-path.ts';

export interface SubscriptionQuotas {
  /** Messages, events and contacts of one mailbox together, of all applications. */
  readonly outlookPerMailbox: number;
  /** Users and groups: of one application in all tenants, of all in one tenant, of one in one. */
  readonly directoryPerApplication: number;
  readonly directoryPerTenant: number;
  readonly directoryPerApplicationAndTenant: number;
  /** All kinds of Teams together, of all applications. */
  readonly teamsPerOrganization: number;
  /** Of one application on one chat, channel or team, or on all of them. One more is answered as a conflict. */
  readonly teamsPerApplicationAndResource: number;
  /** Of all applications together on the chats of one user. */
  readonly teamsPerUser: number;
  readonly callRecordsPerOrganization: number;
  /** Of one application in one tenant; Graph counts by delegated user, of which the simulator has none. */
  readonly presencePerApplication: number;
}

export const GRAPH_QUOTAS: SubscriptionQuotas = {
  outlookPerMailbox: 1_000,
  directoryPerApplication: 50_000,
  directoryPerTenant: 1_000,
  directoryPerApplicationAndTenant: 100,
  teamsPerOrganization: 10_000,
  teamsPerApplicationAndResource: 1,
  teamsPerUser: 10,
  callRecordsPerOrganization: 100,
  presencePerApplication: 1,
};

/** One of the numbers that a subscription adds to. */
export interface QuotaCounter {
  readonly quota: keyof SubscriptionQuotas;
  /** Equal for all subscriptions that share the quota. */
  readonly counter: string;
}

interface Subscriber {
  readonly clientId: string;
  readonly tenantId: string;
}

const OUTLOOK = /^users\/((mailfolders|contactfolders|calendars)\/)?(messages|events|contacts)$/;
const DIRECTORY = /^(users|groups|groups\/members|groups\/owners)$/;
const TEAMS = /^(chats|teams)(\/|$)/;

/** Whom a subscription to this path counts against, the narrowest first. */
export function countersOf(path: ResourcePath, { clientId, tenantId }: Subscriber): QuotaCounter[] {
  const { words, key } = path;
  const counter = (quota: keyof SubscriptionQuotas, ...of: readonly string[]): QuotaCounter => ({
    quota,
    counter: [quota, ...of].join(' '),
  });
  const mailbox = path.segments[0]?.id ?? '';
  if (OUTLOOK.test(words)) return [counter('outlookPerMailbox', tenantId, mailbox)];
  if (DIRECTORY.test(words)) {
    return [
      counter('directoryPerApplicationAndTenant', clientId, tenantId),
      counter('directoryPerTenant', tenantId),
      counter('directoryPerApplication', clientId),
    ];
  }
  if (words === 'users/chats') {
    return [counter('teamsPerUser', tenantId, mailbox), counter('teamsPerOrganization', tenantId)];
  }
  if (TEAMS.test(words)) {
    return [
      counter('teamsPerApplicationAndResource', clientId, tenantId, key),
      counter('teamsPerOrganization', tenantId),
    ];
  }
  if (words === 'communications/callrecords') return [counter('callRecordsPerOrganization', tenantId)];
  if (words === 'communications/presences') return [counter('presencePerApplication', clientId, tenantId)];
  return [];
}

const TEXTS: Readonly<Record<keyof SubscriptionQuotas, string>> = {
  outlookPerMailbox: 'active subscriptions per mailbox for all applications',
  directoryPerApplication: 'subscriptions to users and groups per app for all tenants combined',
  directoryPerTenant: 'subscriptions to users and groups per tenant for all applications combined',
  directoryPerApplicationAndTenant: 'subscriptions to users and groups per app and tenant combination',
  teamsPerOrganization: 'subscriptions to Teams resources per organization',
  teamsPerApplicationAndResource: 'subscription per app and chat, channel or team combination',
  teamsPerUser: 'subscriptions to Teams resources per user',
  callRecordsPerOrganization: 'subscriptions to call records per organization',
  presencePerApplication: 'subscription to presence per app',
};

/** Where Graph says "conflict" instead of naming a quota. */
const CONFLICTS: ReadonlySet<keyof SubscriptionQuotas> = new Set([
  'teamsPerApplicationAndResource',
  'presencePerApplication',
]);

export interface QuotaRefusal {
  readonly isConflict: boolean;
  readonly text: string;
}

/** What stands in the way of one more subscription; undefined if nothing does. */
export function exceededQuota(
  path: ResourcePath,
  subscriber: Subscriber,
  quotas: SubscriptionQuotas,
  countOf: (counter: string) => number,
): QuotaRefusal | undefined {
  const exceeded = countersOf(path, subscriber).find(
    ({ quota, counter }) => countOf(counter) >= quotas[quota],
  );
  if (exceeded === undefined) return undefined;
  const { quota } = exceeded;
  const text = `Subscription quota exceeded: a maximum of ${quotas[quota]} ${TEXTS[quota]} is allowed.`;
  return { isConflict: CONFLICTS.has(quota), text };
}
