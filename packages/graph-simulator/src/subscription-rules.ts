// What Graph demands of a subscription request, decided without side effects.
import { GraphError, type JsonObject } from './graph-exchange.ts';
import { parseDateTimeOffset } from './graph-time.ts';
import {
  checkEncryptionCertificate,
  checkEncryptionCertificateId,
  checkResourceData,
} from './resource-data-rules.ts';
import type { ChangeType, ResourceKind } from './resource-kinds.ts';
import { parseResourcePath, type ResourcePath, ResourcePathError } from './resource-path.ts';
import { queryOptionsFilter, resourceFilter, type SubscriptionFilter } from './subscription-filters.ts';
import { subscribableKind } from './watched-by.ts';

/** A request that has passed the rules; nothing has been called yet. */
export interface SubscriptionDraft {
  readonly resource: string;
  readonly path: ResourcePath;
  readonly changeType: string;
  readonly changeTypes: ReadonlySet<ChangeType>;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  readonly latestSupportedTlsVersion: string;
  readonly includeResourceData: boolean;
  readonly encryptionCertificate: string | null;
  readonly encryptionCertificateId: string | null;
  /** The app whom validation tokens are for; the subscribing one without it. */
  readonly notificationUrlAppId: string | null;
  /** Which of the changes are wanted; all without it. */
  readonly filter: SubscriptionFilter | undefined;
  readonly notificationQueryOptions: string | null;
  readonly expiresAtMs: number;
}

export interface SubscriptionRules {
  readonly nowMs: number;
  /** Graph demands https; a receiver on the same machine may have none. */
  readonly allowHttp: boolean;
}

const MINUTE_MS = 60_000;
/** Graph page "subscription resource type": shorter lives are silently raised to this. */
const MIN_LIFE_MINUTES = 45;
/** Same page: the longest clientState. */
const MAX_CLIENT_STATE = 128;
/** Same page: from here on Teams wants a lifecycleNotificationUrl. */
const TEAMS_LIFECYCLE_MINUTES = 60;
/** Same page: Outlook's kinds with resource data. */
const OUTLOOK_RICH_MINUTES = 1_440;
/** Same page: of subscriptions that a browser is told of; on a webhook they are refused. */
const WEB_PUSH = ['vapidPublicKey', 'webPushEncryptionP256dhPublicKey', 'webPushEncryptionSecret'];

const CHANGE_TYPES: readonly string[] = ['created', 'updated', 'deleted'];
const TLS_VERSIONS: readonly string[] = ['v1_0', 'v1_1', 'v1_2', 'v1_3'];

const invalid = (text: string) => new GraphError(400, 'InvalidRequest', text);

function optionalText(body: JsonObject, name: string): string | null {
  const value = body[name] ?? null;
  if (value !== null && typeof value !== 'string') throw invalid(`Property '${name}' must be a string.`);
  return value;
}

function optionalFlag(body: JsonObject, name: string): boolean | null {
  const value = body[name] ?? null;
  if (value !== null && typeof value !== 'boolean')
    throw invalid(`Property '${name}' must be true or false.`);
  return value;
}

function requiredText(body: JsonObject, name: string): string {
  const value = optionalText(body, name);
  if (value === null || value.trim() === '') throw invalid(`Missing required property '${name}'.`);
  return value;
}

function parseChangeTypes(text: string): ReadonlySet<ChangeType> {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  if (names.some((name) => !CHANGE_TYPES.includes(name))) {
    throw invalid(`Invalid 'changeType' attribute: '${text}'.`);
  }
  return new Set(names as ChangeType[]);
}

function checkUrl(name: string, text: string, allowHttp: boolean): string {
  const url = URL.parse(text);
  const allowed = url?.protocol === 'https:' || (allowHttp && url?.protocol === 'http:');
  if (url === null || !allowed || url.username !== '') {
    throw invalid(`Property '${name}' must be a valid HTTPS URL.`);
  }
  return text;
}

/** What the `resource` of a request names. */
interface Target {
  readonly path: ResourcePath;
  readonly kind: ResourceKind;
  readonly filter: SubscriptionFilter | undefined;
}

function parseTarget(text: string): Target {
  const [pathText = '', query = ''] = text.split('?', 2);
  let path: ResourcePath;
  try {
    path = parseResourcePath(pathText);
  } catch (cause) {
    if (cause instanceof ResourcePathError) throw invalid(`Invalid 'resource' attribute: '${text}'.`);
    throw cause;
  }
  const kind = subscribableKind(path);
  if (path.segments[0]?.word === 'me') {
    throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  if (kind === undefined) {
    throw invalid(`Resource '${text}' is not supported for change notifications.`);
  }
  const filter = resourceFilter(new URLSearchParams(query).get('$filter'), kind);
  if (path.words === 'communications/presences' && path.isCollection && filter === undefined) {
    throw invalid(`Resource '${text}' needs a user's id or a filter.`);
  }
  return { path, kind, filter };
}

function checkChangeTypes(changeTypes: ReadonlySet<ChangeType>, kind: ResourceKind, text: string): void {
  const refused = [...changeTypes].find((one) => !kind.changeTypes.includes(one));
  if (refused !== undefined) throw invalid(`Invalid 'changeType' attribute: '${text}'.`);
}

function checkClientState(clientState: string | null): string | null {
  if (clientState !== null && clientState.length > MAX_CLIENT_STATE) {
    throw invalid(`Property 'clientState' must not be longer than ${MAX_CLIENT_STATE} characters.`);
  }
  return clientState;
}

/** What the longest life depends on, and whether one of over an hour is allowed at all. */
interface LifeTerms {
  readonly kind: ResourceKind;
  readonly includeResourceData: boolean;
  readonly lifecycleNotificationUrl: string | null;
}

function maxLifeMinutesOf({ kind, includeResourceData }: LifeTerms): number {
  const isRichOutlook = includeResourceData && kind.versionForm === 'outlook';
  return isRichOutlook ? OUTLOOK_RICH_MINUTES : kind.maxLifeMinutes;
}

/**
 * Epoch milliseconds that a wish for an expiry becomes: raised to 45 minutes from now where it is shorter.
 * @throws {GraphError} no date, in the past, beyond the longest life, or over an hour where nobody can be challenged
 */
function grantExpiry(wish: unknown, terms: LifeTerms, nowMs: number): number {
  const wishedMs = parseDateTimeOffset(wish);
  if (wishedMs === undefined) throw invalid(`Invalid 'expirationDateTime' attribute: '${String(wish)}'.`);
  if (wishedMs <= nowMs) throw invalid('Subscription expirationDateTime must be in the future.');
  const maxLifeMinutes = maxLifeMinutesOf(terms);
  if (wishedMs > nowMs + maxLifeMinutes * MINUTE_MS) {
    const text = `Subscription expiration can only be ${maxLifeMinutes} minutes in the future.`;
    throw new GraphError(400, 'ExtensionError', text);
  }
  checkTeamsLifecycle(wishedMs, terms, nowMs);
  return Math.max(wishedMs, nowMs + MIN_LIFE_MINUTES * MINUTE_MS);
}

function checkTeamsLifecycle(
  wishedMs: number,
  { kind, lifecycleNotificationUrl }: LifeTerms,
  nowMs: number,
): void {
  if (!kind.isTeams || lifecycleNotificationUrl !== null) return;
  if (wishedMs <= nowMs + TEAMS_LIFECYCLE_MINUTES * MINUTE_MS) return;
  throw invalid("'lifecycleNotificationUrl' is required on this resource for a life of more than one hour.");
}

function refuseWebPush(body: JsonObject): void {
  const refused = WEB_PUSH.find((name) => (body[name] ?? null) !== null);
  if (refused !== undefined) throw invalid(`Property '${refused}' is not supported with webhooks.`);
}

function checkTlsVersion(version: string | null): string {
  const text = version ?? 'v1_2';
  if (!TLS_VERSIONS.includes(text))
    throw invalid(`Invalid 'latestSupportedTlsVersion' attribute: '${text}'.`);
  return text;
}

/** @throws {GraphError} with Graph's code and text for the first rule that is broken */
export function draftSubscription(body: JsonObject, rules: SubscriptionRules): SubscriptionDraft {
  const changeType = requiredText(body, 'changeType');
  const notificationUrl = requiredText(body, 'notificationUrl');
  const resource = requiredText(body, 'resource');
  requiredText(body, 'expirationDateTime');
  refuseWebPush(body);
  const lifecycleUrl = optionalText(body, 'lifecycleNotificationUrl');
  const { path, kind, filter } = parseTarget(resource);
  const changeTypes = parseChangeTypes(changeType);
  checkChangeTypes(changeTypes, kind, changeType);
  const includeResourceData = optionalFlag(body, 'includeResourceData') ?? false;
  const lifecycleNotificationUrl =
    lifecycleUrl === null ? null : checkUrl('lifecycleNotificationUrl', lifecycleUrl, rules.allowHttp);
  const terms = { kind, includeResourceData, lifecycleNotificationUrl };
  const notificationQueryOptions = optionalText(body, 'notificationQueryOptions');
  const draft: SubscriptionDraft = {
    resource,
    path,
    changeType,
    changeTypes,
    notificationUrl: checkUrl('notificationUrl', notificationUrl, rules.allowHttp),
    lifecycleNotificationUrl,
    clientState: checkClientState(optionalText(body, 'clientState')),
    latestSupportedTlsVersion: checkTlsVersion(optionalText(body, 'latestSupportedTlsVersion')),
    includeResourceData,
    encryptionCertificate: optionalText(body, 'encryptionCertificate'),
    encryptionCertificateId: optionalText(body, 'encryptionCertificateId'),
    notificationUrlAppId: optionalText(body, 'notificationUrlAppId'),
    notificationQueryOptions,
    filter: filter ?? queryOptionsFilter(notificationQueryOptions, kind),
    expiresAtMs: grantExpiry(body.expirationDateTime, terms, rules.nowMs),
  };
  checkResourceData(draft, kind);
  return draft;
}

/** What a PATCH asks for; null where it does not name the property. */
export interface SubscriptionPatch {
  readonly expiresAtMs: number | null;
  readonly notificationUrl: string | null;
  readonly encryptionCertificate: string | null;
  readonly encryptionCertificateId: string | null;
}

const FIXED = ['changeType', 'resource', 'clientState', 'lifecycleNotificationUrl', 'includeResourceData'];

/** The part of a subscription that its PATCH is judged by. */
type Patched = Pick<SubscriptionDraft, 'resource' | 'includeResourceData' | 'lifecycleNotificationUrl'>;

/**
 * @throws {GraphError} neither expirationDateTime nor notificationUrl is there, or a property that is fixed is, or a
 * value is bad
 */
export function draftPatch(body: JsonObject, current: Patched, rules: SubscriptionRules): SubscriptionPatch {
  const fixed = FIXED.find((name) => name in body);
  if (fixed !== undefined) throw invalid(`Property '${fixed}' cannot be updated.`);
  const expiry = optionalText(body, 'expirationDateTime');
  const url = optionalText(body, 'notificationUrl');
  if (expiry === null && url === null) {
    throw invalid("Either 'expirationDateTime' or 'notificationUrl' must be specified.");
  }
  const certificate = optionalText(body, 'encryptionCertificate');
  const certificateId = optionalText(body, 'encryptionCertificateId');
  if (certificate !== null) checkEncryptionCertificate(certificate);
  if (certificateId !== null) checkEncryptionCertificateId(certificateId);
  const terms = { ...current, kind: parseTarget(current.resource).kind };
  return {
    expiresAtMs: expiry === null ? null : grantExpiry(expiry, terms, rules.nowMs),
    notificationUrl: url === null ? null : checkUrl('notificationUrl', url, rules.allowHttp),
    encryptionCertificate: certificate,
    encryptionCertificateId: certificateId,
  };
}
