/** How everything that a subscription watches is read: by which delta queries, lists, look-ups, and what they find. Pure. */
import { createHash } from 'node:crypto';
import { canonicalResource, parseResourcePath, type ResourcePath, requestPath } from '@graph2kafka/shared';
import type { PageQuery } from '../graph/read-page.ts';
import { isCollection, kindOfWatched } from '../resources/find-kind.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import { type Phase, type SavedTokens, WHOLE } from './delta-state.ts';
import type { View } from './merge-entries.ts';

/** A subscription that is not ours is taken to watch what it has notified. */
export type WatchedView = View & { readonly watched: ResourcePath };

const DAY_MS = 24 * 3_600_000;
/** Of a calendar: what is long past hardly changes, and recurring events have no end. */
const WINDOW_MS = { before: 365 * DAY_MS, after: 2 * 365 * DAY_MS };
/** A window does not move with the time; after so long a new one is opened. */
const WINDOW_LIFE_MS = 120 * DAY_MS;

/** In turn; `undefined` where it can be read in no way. */
export function phasesOf(view: WatchedView, tokens: SavedTokens, now: number): Phase[] | undefined {
  const { watched, filter } = view;
  const kind = kindOfWatched(watched);
  if (!kind) return undefined;
  if (isOne(watched, kind)) return [{ do: 'one' }];
  // Delta queries take no filter but of a time: what has left it meanwhile is not found.
  if (kind.delta === undefined || filter !== undefined) {
    return isCollection(watched) ? [{ do: 'list' }] : undefined;
  }
  if (kind.delta === 'calendarView') return calendarPhases(tokens, now);
  return hasFolders(watched, kind) ? [{ do: 'folders', found: [] }] : [{ do: 'walk', folder: WHOLE }];
}

/**
 * A calendar view tells of occurrences as well, and not of what lies outside its window. So it shows what changed; what
 * there is, is listed. The list is read after the token was given: what changes in between is told of next time.
 */
function calendarPhases(tokens: SavedTokens, now: number): Phase[] {
  const anew: Phase[] = [{ do: 'walk', folder: WHOLE, prime: true }, { do: 'list' }];
  const token = tokens.get(WHOLE);
  if (!token) return anew;
  const isOld = now - (token.windowAt ?? 0) > WINDOW_LIFE_MS;
  return [{ do: 'walk', folder: WHOLE }, ...(isOld ? anew : [])];
}

/** After a token was refused: from the beginning. */
export function phasesAnew(
  { watched }: WatchedView,
  [refused, ...others]: readonly Phase[],
  now: number,
): Phase[] {
  if (kindOfWatched(watched)?.delta === 'calendarView') return calendarPhases(new Map(), now);
  return refused ? [refused, ...others] : [];
}

/** One resource is watched, not a collection; of the members of a group Graph notifies the group. */
function isOne(watched: ResourcePath, { fetch, delta }: ResourceKind): boolean {
  if (fetch === 'delta') return false;
  return (
    watched.at(-1)?.id !== undefined ||
    (delta === 'watched' && watched[0]?.word === 'groups' && watched.length > 1)
  );
}

function hasFolders(watched: ResourcePath, { delta }: ResourceKind): boolean {
  return (delta === 'mailFolders' || delta === 'contactFolders') && watched.length === 2;
}

/** The folders by what was found; the default one of contacts is in no list of folders. */
export function foldersOf({ watched }: WatchedView, found: readonly string[]): string[] {
  const isContacts = kindOfWatched(watched)?.delta === 'contactFolders';
  return [...new Set([...(isContacts ? ['contacts'] : []), ...found])];
}

/** What is asked of Graph. `windowAt`: when the window of a calendar was chosen. */
export function queryOf({ watched, filter }: WatchedView, phase: Phase, windowAt: number): PageQuery {
  const delta = kindOfWatched(watched)?.delta;
  const owner = requestPath(watched.slice(0, 1));
  const isMail = delta === 'mailFolders';
  switch (phase.do) {
    case 'one':
      return { path: requestPath(watched) };
    case 'list':
      return {
        path: requestPath(watched),
        ...(filter !== undefined && { query: { $filter: encodeURIComponent(filter) } }),
      };
    case 'folders':
      return { path: `${owner}/${isMail ? 'mailFolders' : 'contactFolders'}/delta` };
    case 'walk':
      break;
  }
  if (phase.folder !== WHOLE) {
    const folder = encodeURIComponent(phase.folder);
    const path = isMail ? `mailFolders/${folder}/messages` : `contactFolders/${folder}/contacts`;
    return { path: `${owner}/${path}/delta` };
  }
  if (delta === 'listItems') return { path: `${requestPath(watched)}/items/delta` };
  if (delta !== 'calendarView') return { path: `${requestPath(watched)}/delta` };
  return {
    path: `${requestPath(watched).replace(/\/events$/, '')}/calendarView/delta`,
    query: {
      startDateTime: encodeURIComponent(new Date(windowAt - WINDOW_MS.before).toISOString()),
      endDateTime: encodeURIComponent(new Date(windowAt + WINDOW_MS.after).toISOString()),
    },
  };
}

/** Which `$select` the query takes; Graph's calendar views take none. */
export function selectOf({ watched, select }: WatchedView, phase: Phase): readonly string[] | undefined {
  if (phase.do === 'folders') return ['id'];
  const isView = kindOfWatched(watched)?.delta === 'calendarView' && phase.do === 'walk';
  return isView ? undefined : select;
}

/** What a found item is: its path; `undefined` where its id can be no part of one. */
export function itemPath({ watched }: WatchedView, id: string): ResourcePath | undefined {
  const collection = collectionOf(watched);
  const parsed = parseResourcePath(`${collection}('${id.replaceAll("'", "''")}')`);
  return parsed.ok && collection !== undefined ? parsed.path : undefined;
}

function collectionOf(watched: ResourcePath): string | undefined {
  const kind = kindOfWatched(watched);
  const last = watched.at(-1);
  if (!kind || !last) return undefined;
  if (kind.delta === 'listItems') return `${canonicalResource(watched)}/items`;
  if (kind.fetch === 'delta') return `${canonicalResource(watched.slice(0, -1))}/items`;
  // Folders are no part of an item's name: Graph notifies without them.
  const above = kind.mailbox ? watched.slice(0, 1) : watched.slice(0, -1);
  return canonicalResource([...above, { word: last.word }]);
}

/** The one resource that is watched, or that stands for what is. */
export function oneOf({ watched }: WatchedView): ResourcePath {
  return watched[0]?.word === 'groups' ? watched.slice(0, 1) : watched;
}

/** Equal for two views whose questions are the same, so that one can go on with the token of the other. */
export function queryKey({ watched, select = [], prefer = [] }: WatchedView): string {
  const parts = [canonicalResource(watched), [...select].sort(), [...prefer].sort()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
