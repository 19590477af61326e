// A user's calendars: the one that everybody has, and how an event of another one tells which it is in.
import type { JsonObject } from './graph-exchange.ts';
import { DEFAULT_CALENDAR } from './mail-folders.ts';
import { type ResourcePath, resourcePath } from './resource-path.ts';

/** Annotations by which Graph's pages show the calendar of an event ("Create event" in a named calendar). */
const CALENDAR_LINK = 'calendar@odata.navigationLink';
const ASSOCIATION_LINK = 'calendar@odata.associationLink';

/** What the body of an event in another than the default calendar shows; the default one has no such links. */
export function calendarLinks(userId: string, calendarId: string): JsonObject {
  if (calendarId === DEFAULT_CALENDAR) return {};
  const calendar = `https://graph.microsoft.com/v1.0/users('${userId}')/calendars('${calendarId}')`;
  return { [ASSOCIATION_LINK]: `${calendar}/$ref`, [CALENDAR_LINK]: calendar };
}

/** The id of the calendar that an event is in. */
export function calendarIdOf(body: JsonObject): string {
  return /\/calendars\('(.*)'\)$/.exec(String(body[CALENDAR_LINK] ?? ''))?.[1] ?? DEFAULT_CALENDAR;
}

/** "users/{u}/calendars/{c}/events" for an event; undefined for other kinds. */
export function calendarViewOf({
  path,
  body,
}: {
  readonly path: ResourcePath;
  readonly body: JsonObject;
}): ResourcePath | undefined {
  const [user] = path.segments;
  if (path.words !== 'users/events' || user === undefined) return undefined;
  return resourcePath([user, { word: 'calendars', id: calendarIdOf(body) }, { word: 'events' }]);
}

/** "users/{u}/calendar" is the default one of the calendars; every other path as it is. */
export function withDefaultCalendar(path: ResourcePath): ResourcePath {
  const [user, calendar, ...rest] = path.segments;
  if (user?.word !== 'users' || calendar?.word !== 'calendar' || calendar.id !== undefined) return path;
  return resourcePath([user, { word: 'calendars', id: DEFAULT_CALENDAR }, ...rest], path.operation);
}

export interface CalendarOwner {
  readonly name: string;
  readonly address: string;
}

/** What every calendar shows beside its id (Graph page "calendar resource type"). */
export function calendarBody(draft: JsonObject, owner: CalendarOwner | null, isDefault: boolean): JsonObject {
  return {
    name: '',
    color: 'auto',
    hexColor: '',
    isDefaultCalendar: isDefault,
    canShare: true,
    canViewPrivateItems: true,
    canEdit: true,
    allowedOnlineMeetingProviders: ['teamsForBusiness'],
    defaultOnlineMeetingProvider: 'teamsForBusiness',
    isTallyingResponses: isDefault,
    isRemovable: !isDefault,
    owner,
    ...draft,
  };
}
