// What a subscription's $filter lets through: a filtered mailbox is a view that items enter and leave.
import { GraphError, type JsonObject } from './graph-exchange.ts';
import { type Filter, parseFilter } from './odata-filter.ts';
import type { ChangeType, ResourceKind } from './resource-kinds.ts';
import type { ResourceChange } from './resource-store.ts';

export interface SubscriptionFilter {
  readonly matches: Filter;
  /**
   * True for Outlook: what enters the view is created and what leaves it is deleted (Graph page "Change notifications
   * for Outlook resources"). Elsewhere the filter only says which items are told of.
   */
  readonly isView: boolean;
}

/** Users in one filter of presences (Graph page "Set up notifications for changes in resource data"). */
const MOST_PRESENCES = 650;
const PRESENCES = /^\s*id\s+in\s*\((.*)\)\s*$/is;

const invalid = (text: string) => new GraphError(400, 'InvalidRequest', text);

function checkPresences(text: string): void {
  const list = PRESENCES.exec(text)?.[1];
  if (list === undefined) throw invalid("Presences can be filtered by 'id in (…)' alone.");
  const users = list.split(',').length;
  if (users <= MOST_PRESENCES) return;
  throw invalid(`The filter names ${users} users; a maximum of ${MOST_PRESENCES} is allowed.`);
}

/** "participants/any(p:p/id eq '…')", also with or and in (Graph page "Change notifications for call records"). */
const PARTICIPANTS = /^\s*participants\/any\(\s*(\w+)\s*:\s*\1\/id\s+(eq|in)\b/i;

function checkCallRecords(text: string): void {
  if (PARTICIPANTS.test(text)) return;
  throw invalid('Call records can be filtered by the ids of their participants alone.');
}

const isFiltered = ({ versionForm, spelling: [first, second = ''] }: ResourceKind) =>
  versionForm === 'outlook' || first === 'security' || ['presences', 'callRecords'].includes(second);

/** @param text the $filter in `resource`; null without one @throws {GraphError} 400 for one that cannot be */
export function resourceFilter(text: string | null, kind: ResourceKind): SubscriptionFilter | undefined {
  if (text === null) return undefined;
  if (!isFiltered(kind)) throw invalid("'$filter' is not supported in 'resource' for this resource.");
  if (kind.spelling[1] === 'presences') checkPresences(text);
  if (kind.spelling[1] === 'callRecords') checkCallRecords(text);
  return { matches: parseFilter(text), isView: kind.versionForm === 'outlook' };
}

/**
 * Universal Print filters by a property of its own: "$filter=isFetchable eq true".
 * @throws {GraphError} 400 where the kind takes none, or it is no filter
 */
export function queryOptionsFilter(text: string | null, kind: ResourceKind): SubscriptionFilter | undefined {
  if (text === null) return undefined;
  const filter = /^\s*\$filter\s*=\s*(\S.*)$/s.exec(text)?.[1];
  if (kind.spelling[0] !== 'print' || filter === undefined) {
    throw invalid("Property 'notificationQueryOptions' is not supported for this resource, or is no filter.");
  }
  return { matches: parseFilter(filter), isView: false };
}

/** As which change a subscription hears of one that is announced so; undefined where it hears nothing. */
export function filteredChange(
  filter: SubscriptionFilter | undefined,
  announced: ChangeType,
  { changeType, resource, previous }: Pick<ResourceChange, 'changeType' | 'resource' | 'previous'>,
): ChangeType | undefined {
  if (filter === undefined) return announced;
  const lets = (body: JsonObject | undefined) => body !== undefined && filter.matches(body);
  if (!filter.isView) return lets(resource.body) ? announced : undefined;
  const was = lets(previous?.body);
  const is = changeType !== 'deleted' && lets(resource.body);
  if (was !== is) return is ? 'created' : 'deleted';
  return is ? announced : undefined;
}
