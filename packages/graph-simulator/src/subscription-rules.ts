// What Graph demands of a subscription request, decided without side effects.
import { GraphError, type JsonObject } from './graph-exchange.ts';
import { parseDateTimeOffset } from './graph-time.ts';
import { type ChangeType, kindOf, type ResourceKind } from './resource-kinds.ts';
import { parseResourcePath, type ResourcePath, ResourcePathError } from './resource-path.ts';

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

const CHANGE_TYPES: readonly string[] = ['created', 'updated', 'deleted'];
const TLS_VERSIONS: readonly string[] = ['v1_0', 'v1_1', 'v1_2', 'v1_3'];

const invalid = (text: string) => new GraphError(400, 'InvalidRequest', text);

function optionalText(body: JsonObject, name: string): string | null {
  const value = body[name] ?? null;
  if (value !== null && typeof value !== 'string') throw invalid(`Property '${name}' must be a string.`);
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

function parseTarget(text: string): { path: ResourcePath; kind: ResourceKind } {
  const [pathText = '', query = ''] = text.split('?', 2);
  if (new URLSearchParams(query).has('$filter')) {
    throw new GraphError(501, 'notImplemented', 'The simulator does not evaluate $filter in a subscription.');
  }
  let path: ResourcePath;
  try {
    path = parseResourcePath(pathText);
  } catch (cause) {
    if (cause instanceof ResourcePathError) throw invalid(`Invalid 'resource' attribute: '${text}'.`);
    throw cause;
  }
  const kind = kindOf(withoutFolder(path));
  if (path.segments[0]?.word === 'me') {
    throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  if (kind === undefined || path.operation !== undefined) {
    throw invalid(`Resource '${text}' is not supported for change notifications.`);
  }
  return { path, kind };
}

/** A folder's messages are messages: "users/{id}/mailfolders/{id}/messages" has the kind of "users/{id}/messages". */
function withoutFolder(path: ResourcePath): ResourcePath {
  return path.words === 'users/mailfolders/messages' ? { ...path, words: 'users/messages' } : path;
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

/**
 * Epoch milliseconds that a wish for an expiry becomes: raised to 45 minutes from now where it is shorter.
 * @throws {GraphError} no date, in the past, or beyond the longest life of that kind
 */
export function grantExpiry(wish: unknown, kind: ResourceKind, nowMs: number): number {
  const wishedMs = parseDateTimeOffset(wish);
  if (wishedMs === undefined) throw invalid(`Invalid 'expirationDateTime' attribute: '${String(wish)}'.`);
  if (wishedMs <= nowMs) throw invalid('Subscription expirationDateTime must be in the future.');
  const { maxLifeMinutes } = kind;
  if (wishedMs > nowMs + maxLifeMinutes * MINUTE_MS) {
    const text = `Subscription expiration can only be ${maxLifeMinutes} minutes in the future.`;
    throw new GraphError(400, 'ExtensionError', text);
  }
  return Math.max(wishedMs, nowMs + MIN_LIFE_MINUTES * MINUTE_MS);
}

function checkTeamsLifecycle(draft: SubscriptionDraft, kind: ResourceKind, nowMs: number): void {
  if (!kind.isTeams || draft.lifecycleNotificationUrl !== null) return;
  if (draft.expiresAtMs <= nowMs + TEAMS_LIFECYCLE_MINUTES * MINUTE_MS) return;
  throw invalid("'lifecycleNotificationUrl' is required on this resource for a life of more than one hour.");
}

function refuseResourceData(body: JsonObject): void {
  if (body.includeResourceData !== true) return;
  throw new GraphError(501, 'notImplemented', 'The simulator does not send resource data yet.');
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
  refuseResourceData(body);
  const lifecycleUrl = optionalText(body, 'lifecycleNotificationUrl');
  const { path, kind } = parseTarget(resource);
  const changeTypes = parseChangeTypes(changeType);
  checkChangeTypes(changeTypes, kind, changeType);
  const draft: SubscriptionDraft = {
    resource,
    path,
    changeType,
    changeTypes,
    notificationUrl: checkUrl('notificationUrl', notificationUrl, rules.allowHttp),
    lifecycleNotificationUrl:
      lifecycleUrl === null ? null : checkUrl('lifecycleNotificationUrl', lifecycleUrl, rules.allowHttp),
    clientState: checkClientState(optionalText(body, 'clientState')),
    latestSupportedTlsVersion: checkTlsVersion(optionalText(body, 'latestSupportedTlsVersion')),
    expiresAtMs: grantExpiry(body.expirationDateTime, kind, rules.nowMs),
  };
  checkTeamsLifecycle(draft, kind, rules.nowMs);
  return draft;
}

/** What a PATCH asks for; null where it does not name the property. */
export interface SubscriptionPatch {
  readonly expiresAtMs: number | null;
  readonly notificationUrl: string | null;
}

const FIXED = ['changeType', 'resource', 'clientState', 'lifecycleNotificationUrl'];

/** @throws {GraphError} neither updatable property is there, or one that is fixed is, or a value is bad */
export function draftPatch(body: JsonObject, resource: string, rules: SubscriptionRules): SubscriptionPatch {
  const fixed = FIXED.find((name) => name in body);
  if (fixed !== undefined) throw invalid(`Property '${fixed}' cannot be updated.`);
  const expiry = optionalText(body, 'expirationDateTime');
  const url = optionalText(body, 'notificationUrl');
  if (expiry === null && url === null) {
    throw invalid("Either 'expirationDateTime' or 'notificationUrl' must be specified.");
  }
  return {
    expiresAtMs: expiry === null ? null : grantExpiry(expiry, parseTarget(resource).kind, rules.nowMs),
    notificationUrl: url === null ? null : checkUrl('notificationUrl', url, rules.allowHttp),
  };
}
