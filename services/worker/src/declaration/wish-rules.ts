/**
 * What Graph takes of an entry in `subscriptions.yaml`, by the table of resources: each rule names the field that is
 * wrong, and what would be right. Pure.
 */
import { isGuid, parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { kindOfWatched } from '../resources/find-kind.ts';
import { nearShapes } from '../resources/near-shapes.ts';
import { isTimeZone, type OutlookPreferences } from '../resources/outlook-preferences.ts';
import { type ResourceKind, shapeOf } from '../resources/resource-kind.ts';

type Wanted = OutlookPreferences & {
  readonly resource: string;
  /** `users` or `group`: whom `{user}` stands for. */
  readonly users?: unknown;
  readonly group?: unknown;
  readonly changeTypes?: readonly string[] | undefined;
  readonly lifeMinutes?: number | undefined;
  readonly filter?: string | undefined;
  readonly rich: boolean;
  readonly fetch?: boolean | undefined;
  readonly select?: readonly string[] | undefined;
  readonly immutableIds?: boolean | undefined;
};

type Verdict =
  | { readonly ok: true; readonly kind: ResourceKind }
  | { readonly ok: false; readonly field: string; readonly reason: string };

/** Any GUID stands for the user: what is wrong with the path does not depend on who it is. */
export const ANY_USER = '00000000-0000-0000-0000-000000000000';

/** Graph goes by its own clock, and refuses what is a second too long. */
const CLOCK_MARGIN_MINUTES = 10;
/** Graph raises to it whatever is less. */
export const SHORTEST_LIFE_MINUTES = 45;
/** A longer one in Teams needs a lifecycleNotificationUrl (Graph: api/resources/subscription). */
const TEAMS_WITHOUT_LIFECYCLE_MINUTES = 60;

/** What Graph does not send with rich notifications, in any case. */
const NOT_IN_RICH = ['body', 'uniquebody'];
/** Graph knows these by their object ids, and notifies by them. */
const KNOWN_BY_GUID = ['users', 'groups', 'teams'];

/** The first thing that Graph, or we, would not take. */
export function judgeWanted(wanted: Wanted, hasLifecycleUrl: boolean): Verdict {
  const problem = findFormProblem(wanted);
  if (problem !== undefined) return refuse(problem);
  const parsed = parseResourcePath(wanted.resource.replaceAll('{user}', ANY_USER));
  if (!parsed.ok) return refuse(`resource: ${parsed.reason}${near(wanted)}`);
  const kind = kindOfWatched(parsed.path);
  if (!kind) return refuse(`resource: cannot watch ${wanted.resource}${near(wanted)}`);
  for (const rule of RULES) {
    const broken = rule(wanted, kind, parsed.path, hasLifecycleUrl);
    if (broken !== undefined) return refuse(broken);
  }
  return { ok: true, kind };
}

/** `problem` is `field: reason`. */
function refuse(problem: string): Verdict {
  const colon = problem.indexOf(': ');
  return { ok: false, field: problem.slice(0, colon), reason: problem.slice(colon + 2) };
}

/** The most that may be asked for. */
export function longestLifeMinutes({ lifeMinutes: { plain, rich = plain } }: ResourceKind, isRich: boolean) {
  const longest = isRich ? rich : plain;
  return Math.max(longest - CLOCK_MARGIN_MINUTES, Math.min(longest, SHORTEST_LIFE_MINUTES));
}

function findFormProblem({ resource, users, group }: Wanted): string | undefined {
  if (resource.includes('?'))
    return 'resource: must be a path alone; a filter and a select are fields of their own';
  const [, watched] = /^(.*)\/delta(?:\(\))?$/i.exec(resource) ?? [];
  if (watched !== undefined) return `resource: must be what is watched, without delta: ${watched}`;
  if (users !== undefined && group !== undefined)
    return 'group: an entry has users or a group; make two entries of it';
  const hasPeople = users !== undefined || group !== undefined;
  const isTemplate = resource.includes('{user}');
  if (isTemplate && !hasPeople)
    return 'users: must name the users that {user} stands for, or group a group of them';
  if (isTemplate || !hasPeople) return undefined;
  return 'resource: must hold {user}, as in users/{user}/events, or the entry no users and no group';
}

function near({ resource }: Wanted): string {
  const shapes = nearShapes(resource);
  return shapes.length === 0 ? '' : `; it can watch ${shapes.join(', ')}`;
}

type Rule = (
  wanted: Wanted,
  kind: ResourceKind,
  path: ResourcePath,
  hasLifecycleUrl: boolean,
) => string | undefined;

const RULES: readonly Rule[] = [
  checkOwner,
  checkChangeTypes,
  checkFilter,
  checkRich,
  checkFetch,
  checkSelect,
  checkPreferences,
  checkLife,
];

function checkOwner(_wanted: Wanted, _kind: ResourceKind, [owner]: ResourcePath): string | undefined {
  if (owner?.id === undefined || !KNOWN_BY_GUID.includes(owner.word) || isGuid(owner.id)) return undefined;
  return `resource: ${owner.word}/ must be followed by an object id (a GUID)`;
}

function checkChangeTypes({ changeTypes = [] }: Wanted, kind: ResourceKind): string | undefined {
  const refused = changeTypes.find((one) => !kind.changeTypes.some((known) => known === one));
  if (refused === undefined) return undefined;
  // The directory and files tell of everything new as of something that has changed.
  const isUpdate = kind.service === 'directory' || kind.service === 'files';
  const instead = isUpdate ? `, which ${refused} ones are as well` : '';
  return `changeTypes: Graph tells of a ${kind.name} that it is ${kind.changeTypes.join(' or ')} only${instead}`;
}

function checkFilter({ filter }: Wanted, kind: ResourceKind, path: ResourcePath): string | undefined {
  if (filter?.includes('{user}')) return 'filter: {user} stands for the users in resource alone';
  if (filter !== undefined) return kind.filter ? undefined : `filter: Graph takes none for a ${kind.name}`;
  return kind.filter?.neededBy.includes(shapeOf(path))
    ? `filter: must say which, as in id in ('{id}','{id}')`
    : undefined;
}

function checkRich({ rich, select }: Wanted, kind: ResourceKind): string | undefined {
  if (!rich) return undefined;
  if (kind.rich === 'no') {
    return 'rich: Graph sends data with events, messages, contacts and what is in Teams only';
  }
  if (kind.rich === 'whole') return undefined;
  if (select === undefined) return 'select: must name the properties that come with rich notifications';
  const refused = select.find((name) => NOT_IN_RICH.includes(name.toLowerCase()));
  return refused && `select: Graph does not send ${refused} with rich notifications`;
}

/** Of what is read nothing else may be wanted where nothing is read. */
function checkFetch(wanted: Wanted, kind: ResourceKind): string | undefined {
  if (wanted.fetch !== false) return undefined;
  if (kind.fetch === 'delta') return `fetch: a notification of a ${kind.name} does not say what has changed`;
  const field = (['rich', 'select', 'body', 'timeZone'] as const).find(
    (name) => wanted[name] !== undefined && wanted[name] !== false,
  );
  return field && `${field}: not with fetch: false, by which records hold the notification alone`;
}

function checkSelect({ select }: Wanted, kind: ResourceKind): string | undefined {
  return select !== undefined && kind.rich === 'whole'
    ? 'select: Graph takes none for what is in Teams'
    : undefined;
}

function checkPreferences(wanted: Wanted, kind: ResourceKind): string | undefined {
  const { timeZone, rich } = wanted;
  const field = (['body', 'timeZone', 'immutableIds'] as const).find(
    (name) => wanted[name] !== undefined && wanted[name] !== false,
  );
  if (field === undefined) return undefined;
  if (!kind.mailbox) return `${field}: only for events, messages and contacts`;
  // What comes with the notification is as Graph makes it.
  if (rich && field !== 'immutableIds')
    return `${field}: not for rich notifications, which Graph does not convert`;
  if (timeZone === undefined || isTimeZone(timeZone)) return undefined;
  return 'timeZone: must be a name of IANA (Europe/Berlin) or of Windows (W. Europe Standard Time)';
}

function checkLife(
  { lifeMinutes, rich }: Wanted,
  kind: ResourceKind,
  _path: ResourcePath,
  hasLifecycleUrl: boolean,
): string | undefined {
  const longest = longestLifeMinutes(kind, rich);
  const life = lifeMinutes ?? longest;
  if (life > longest) return `lifeMinutes: Graph lets it live ${longest} minutes at most`;
  if (kind.service !== 'teams' || hasLifecycleUrl || life <= TEAMS_WITHOUT_LIFECYCLE_MINUTES)
    return undefined;
  return `lifeMinutes: what is in Teams lives ${TEAMS_WITHOUT_LIFECYCLE_MINUTES} minutes at most without LIFECYCLE_NOTIFICATION_URL`;
}
