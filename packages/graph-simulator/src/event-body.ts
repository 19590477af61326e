// Makes and alters the body of a calendar event as Outlook would show it (Graph page "event resource type").
import type { JsonObject } from './graph-exchange.ts';

/** Who owns the calendar, as attendees and organizers are written. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

export interface EventIdentity {
  readonly id: string;
  readonly iCalUId: string;
  readonly organizer: Mailbox;
  /** Annotations that tell the calendar, where it is not the default one. */
  readonly calendarLinks: JsonObject;
}

/** Outlook's word for "no time yet". */
const NO_TIME = '0001-01-01T00:00:00Z';
/** Outlook's preview is the first 255 characters of the text. */
const PREVIEW_LENGTH = 255;

/** What a caller cannot set: Outlook's own properties, and OData's annotations. */
const READ_ONLY = new Set([
  'id',
  'changeKey',
  'createdDateTime',
  'lastModifiedDateTime',
  'iCalUId',
  'webLink',
  'bodyPreview',
  'organizer',
  'isOrganizer',
  'type',
  'seriesMasterId',
]);

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&nbsp;': ' ' };

export function plainText(html: string): string {
  return html
    .replace(/<br\s*\/?>|<\/p>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|nbsp);/g, (entity) => ENTITIES[entity] ?? entity)
    .trim();
}

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\n', '<br>');

/** Bodies are kept and answered as HTML, whatever form they came in. */
function htmlBody(body: unknown): JsonObject {
  const { contentType, content } = (body ?? {}) as JsonObject;
  const text = typeof content === 'string' ? content : '';
  const isHtml = typeof contentType === 'string' && contentType.toLowerCase() === 'html';
  const html = isHtml ? text : `<html><body>${escapeHtml(text)}</body></html>`;
  return { contentType: 'html', content: html };
}

export function withPreview(body: unknown): JsonObject {
  const html = htmlBody(body);
  return { body: html, bodyPreview: plainText(String(html.content)).slice(0, PREVIEW_LENGTH) };
}

function attendee(given: unknown): JsonObject {
  const { type, status, emailAddress } = (given ?? {}) as JsonObject;
  return { type: type ?? 'required', status: status ?? { response: 'none', time: NO_TIME }, emailAddress };
}

function writable(draft: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(draft).filter(([name]) => !READ_ONLY.has(name) && !name.startsWith('@')),
  );
}

function derived(patch: JsonObject): JsonObject {
  const attendees = patch.attendees;
  const location = patch.location as JsonObject | null | undefined;
  return {
    ...('body' in patch && withPreview(patch.body)),
    ...(Array.isArray(attendees) && { attendees: attendees.map(attendee) }),
    ...(location && !('locations' in patch) && { locations: [location] }),
  };
}

const DEFAULTS: JsonObject = {
  transactionId: null,
  originalStartTimeZone: 'UTC',
  originalEndTimeZone: 'UTC',
  categories: [],
  reminderMinutesBeforeStart: 15,
  isReminderOn: true,
  hasAttachments: false,
  subject: '',
  bodyPreview: '',
  importance: 'normal',
  sensitivity: 'normal',
  isAllDay: false,
  isCancelled: false,
  isOrganizer: true,
  responseRequested: true,
  seriesMasterId: null,
  showAs: 'busy',
  type: 'singleInstance',
  onlineMeetingUrl: null,
  isOnlineMeeting: false,
  onlineMeetingProvider: 'unknown',
  allowNewTimeProposals: true,
  isDraft: false,
  hideAttendees: false,
  responseStatus: { response: 'organizer', time: NO_TIME },
  body: { contentType: 'html', content: '' },
  location: {
    displayName: '',
    locationType: 'default',
    uniqueIdType: 'unknown',
    address: {},
    coordinates: {},
  },
  locations: [],
  recurrence: null,
  attendees: [],
  onlineMeeting: null,
};

/** A whole event from what a caller gave; times and change key are stamped by the store. */
export function newEventBody(
  draft: JsonObject,
  { id, iCalUId, organizer, calendarLinks }: EventIdentity,
): JsonObject {
  const given = writable(draft);
  const webLink = `https://outlook.office365.com/owa/?itemid=${encodeURIComponent(id)}&exvsurl=1&path=/calendar/item`;
  const identity = { id, iCalUId, webLink, organizer: { emailAddress: organizer } };
  return { ...DEFAULTS, ...identity, ...given, ...derived(given), ...calendarLinks };
}

/** What a PATCH changes: its writable properties, and those that follow from them. */
export function eventPatch(patch: JsonObject): JsonObject {
  const given = writable(patch);
  return { ...given, ...derived(given) };
}
