// The resource as a notification carries it: what is encrypted for Outlook and for Teams, before it is encrypted.
import type { JsonObject } from './graph-exchange.ts';
import { selectedProperties } from './resource-data-rules.ts';
import { type EncryptedContent, encryptResource } from './resource-encryption.ts';
import { type ChangeType, kindOf } from './resource-kinds.ts';
import type { StoredResource } from './resource-store.ts';
import type { Subscription } from './subscription-store.ts';

/** What OData calls the types of Outlook's properties that JSON alone does not tell (Graph's metadata, v1.0). */
const SCALAR_TYPES: Readonly<Record<string, readonly string[]>> = {
  DateTimeOffset: [
    'birthday',
    'createdDateTime',
    'lastModifiedDateTime',
    'originalStart',
    'receivedDateTime',
    'sentDateTime',
  ],
  'microsoft.graph.eventType': ['type'],
  'microsoft.graph.freeBusyStatus': ['showAs'],
  'microsoft.graph.importance': ['importance'],
  'microsoft.graph.inferenceClassificationType': ['inferenceClassification'],
  'microsoft.graph.onlineMeetingProviderType': ['onlineMeetingProvider'],
  'microsoft.graph.sensitivity': ['sensitivity'],
};

const OBJECT_TYPES: Readonly<Record<string, readonly string[]>> = {
  attendee: ['attendees'],
  dateTimeTimeZone: ['start', 'end'],
  emailAddress: ['emailAddress', 'emailAddresses'],
  followupFlag: ['flag'],
  location: ['location', 'locations'],
  onlineMeetingInfo: ['onlineMeeting'],
  patternedRecurrence: ['recurrence'],
  physicalAddress: ['address', 'businessAddress', 'homeAddress', 'otherAddress'],
  recipient: ['bccRecipients', 'ccRecipients', 'from', 'organizer', 'replyTo', 'sender', 'toRecipients'],
  responseStatus: ['responseStatus', 'status'],
};

function byProperty(types: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(types).flatMap(([type, names]) => names.map((name) => [name, type] as const)),
  );
}

const SCALARS = byProperty(SCALAR_TYPES);
const OBJECTS = byProperty(OBJECT_TYPES);

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function annotatedValue(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => annotatedValue(name, one));
  if (!isObject(value)) return value;
  const type = OBJECTS.get(name);
  return {
    ...(type !== undefined && { '@odata.type': `#microsoft.graph.${type}` }),
    ...annotated(value, {}),
  };
}

/** A property's own note stands before it, "receivedDateTime@odata.type"; that of an object inside it. */
function annotated(body: JsonObject, scalars: Readonly<Record<string, string>>): JsonObject {
  const entries = Object.entries(body).flatMap(([name, value]) => {
    const note = scalars[name];
    const entry: [string, unknown] = [name, annotatedValue(name, value)];
    return note === undefined || value === null ? [entry] : [[`${name}@odata.type`, `#${note}`], entry];
  });
  return Object.fromEntries(entries);
}

/** Only what was selected, with OData's notes, and neither id nor etag unless they were (same Graph page, example). */
function outlookData(body: JsonObject, selected: readonly string[]): JsonObject {
  const chosen = Object.entries(body).filter(([name]) => selected.includes(name.toLowerCase()));
  return annotated(Object.fromEntries(chosen), Object.fromEntries(SCALARS));
}

/** Undefined where a notification carries no data: not asked for, or the item is gone from its mailbox. */
export function resourceContent(
  subscription: Pick<Subscription, 'includeResourceData' | 'resource'>,
  { path, body }: StoredResource,
  changeType: ChangeType,
): JsonObject | undefined {
  if (!subscription.includeResourceData) return undefined;
  if (kindOf(path)?.versionForm !== 'outlook') return body;
  // Graph's pages show none for this; what is gone from a mailbox cannot be read any more.
  if (changeType === 'deleted') return undefined;
  return outlookData(body, selectedProperties(subscription.resource) ?? []);
}

/** `{"encryptedContent": …}` for an item of such a subscription, else nothing. */
export function encryptedPart(
  subscription: Subscription,
  resource: StoredResource,
  changeType: ChangeType,
): { readonly encryptedContent?: EncryptedContent } {
  const content = resourceContent(subscription, resource, changeType);
  const { encryptionCertificate: certificate, encryptionCertificateId: label } = subscription;
  if (content === undefined || certificate === null || label === null) return {};
  return { encryptedContent: encryptResource(JSON.stringify(content), certificate, label) };
}
