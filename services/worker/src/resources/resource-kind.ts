/** What there is to know of a kind of resource: how it is subscribed to, notified, read. */
import type { ChangeType, PathSegment, ResourcePath } from '@graph2kafka/shared';

/**
 * A path whose ids do not matter: `users/{id}/events/{id}`, words in lower case; a folder in folders counts as one folder.
 */
export type PathShape = string;

export type ResourceKind = {
  /** As Graph's reference calls it: "chat message". */
  readonly name: string;
  /** In the type of its records: `Microsoft.Graph.ChatMessageCreated`. */
  readonly recordType: string;
  /** What a subscription may watch. */
  readonly watched: readonly PathShape[];
  /** What a notification may name. */
  readonly notified: readonly PathShape[];
  /** What a delta query finds, where notifications name something else. */
  readonly found?: readonly PathShape[];
  /** What a subscription may ask for (Graph: api/resources/subscription, "changeType"). */
  readonly changeTypes: readonly ChangeType[];
  /** The longest life of a subscription, in minutes; `rich` where it differs for one whose notifications carry data. */
  readonly lifeMinutes: { readonly plain: number; readonly rich?: number };
  /** Whether notifications can carry the resource: `select` where Graph wants its properties named, `whole` where it takes none. */
  readonly rich: 'no' | 'select' | 'whole';
  /** What a notification has us do: read the resource, or run the delta query, since it does not say what changed. */
  readonly fetch: 'item' | 'delta';
  /** How what is watched is read when notifications were missed; absent where Graph has no delta query for it. */
  readonly delta?: DeltaQuery;
  /** An item of a mailbox: ids that can be immutable, bodies that can be text, times in a zone (Prefer headers). */
  readonly mailbox?: true;
  /** Whether what is watched can be narrowed by a `$filter`; `needed` for these paths alone. */
  readonly filter?: { readonly neededBy: readonly PathShape[] };
  /** The least that an app needs, one for each place (Graph: api/subscription-post-subscriptions, "Permissions"); none: Graph names none for apps. */
  readonly permissions: readonly string[];
  /** Which of the services behind Graph has it; each throttles in its own way. */
  readonly service: 'outlook' | 'directory' | 'files' | 'teams' | 'other';
};

export type DeltaQuery =
  /** `/delta` below what is watched. */
  | 'watched'
  /** `/calendarView/delta` of the mailbox, with a window of time. */
  | 'calendarView'
  /** `/messages/delta` of each mail folder. */
  | 'mailFolders'
  /** `/contacts/delta` of the default folder and each other one. */
  | 'contactFolders'
  /** `/items/delta` below the list that is watched. */
  | 'listItems';

/** A part of a mailbox: its id may be written in several ways (`inbox`), and things leave it without being deleted. */
const FOLDERS: ReadonlySet<string> = new Set(['mailFolders', 'contactFolders', 'calendars', 'childFolders']);

export function isFolder({ word }: PathSegment): boolean {
  return FOLDERS.has(word);
}

export function shapeOf(path: ResourcePath): PathShape {
  return path
    .filter(({ word }) => word !== 'childFolders')
    .map(({ word, id }) => (id === undefined ? word.toLowerCase() : `${word.toLowerCase()}/{id}`))
    .join('/');
}
