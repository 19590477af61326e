// The calls under /v1.0/subscriptions.
import { randomUUID } from 'node:crypto';
import { type GraphAnswer, GraphError, type GraphRequest, headerText, objectBody } from './graph-exchange.ts';
import { nextLink } from './paging.ts';
import type { ResourcePath } from './resource-path.ts';
import { exceededQuota, type SubscriptionQuotas } from './subscription-quotas.ts';
import { draftPatch, draftSubscription, type SubscriptionDraft } from './subscription-rules.ts';
import {
  type Subscriber,
  type Subscription,
  type SubscriptionStore,
  subscriptionBody,
} from './subscription-store.ts';

export interface SubscriptionsApiDeps {
  readonly subscriptions: SubscriptionStore;
  readonly now: () => number;
  readonly allowHttpNotificationUrls: boolean;
  readonly pageSize: number;
  readonly quotas: SubscriptionQuotas;
  /** Throws where the caller makes too many calls. */
  readonly throttle: (request: GraphRequest, path: ResourcePath) => void;
  /** Replaces a user principal name by the user's id, as Graph notifies by id. */
  readonly resolve: (path: ResourcePath, tenantId: string) => ResourcePath;
  readonly validateEndpoint: (url: string) => Promise<void>;
}

type Handler = (request: GraphRequest, path: ResourcePath) => GraphAnswer | Promise<GraphAnswer>;

const context = (request: GraphRequest, entity: boolean) =>
  `${request.origin}/v1.0/$metadata#subscriptions${entity ? '/$entity' : ''}`;

function owned(deps: SubscriptionsApiDeps, request: GraphRequest, id: string | undefined): Subscription {
  const found = id === undefined ? undefined : deps.subscriptions.get(id);
  // Another app's subscription is answered like one that never was.
  const { clientId, tenantId } = request.application;
  if (found === undefined || found.applicationId !== clientId || found.tenantId !== tenantId) {
    throw new GraphError(404, 'ResourceNotFound', 'The object was not found.');
  }
  return found;
}

/** As in the field, seen for presence and Teams alike: the code says nothing of the conflict. */
function extensionConflict(): GraphError {
  const reason =
    'Status Code: Conflict; Reason: A subscription already exists. It must be deleted before another can be made.';
  return new GraphError(409, 'ExtensionError', `Operation: Create; Exception: [${reason}]`);
}

/** Graph was seen to make several equal subscriptions to a list in SharePoint (microsoft-graph-docs-contrib#9039). */
const mayHaveTwins = ({ words }: ResourcePath) => words === 'sites/lists';

/** What an existing subscription can stand against: twins, and quotas. @throws {GraphError} 409 or 403 */
function checkRoom(deps: SubscriptionsApiDeps, draft: SubscriptionDraft, subscriber: Subscriber): void {
  const { subscriptions, quotas } = deps;
  const exceeded = exceededQuota(draft.path, subscriber, quotas, (counter) => subscriptions.countOf(counter));
  if (exceeded?.isConflict) throw extensionConflict();
  const twin = mayHaveTwins(draft.path) ? undefined : subscriptions.twinOf(subscriber, draft);
  if (twin !== undefined) {
    const text = `Subscription Id ${twin.id} already exists for the requested combination`;
    throw new GraphError(409, 'Conflict', text);
  }
  if (exceeded !== undefined) throw new GraphError(403, 'Forbidden', exceeded.text);
}

const wantsImmutableIds = (request: GraphRequest) =>
  /\bIdType\s*=\s*"?ImmutableId\b/i.test(headerText(request.headers, 'prefer'));

async function create(deps: SubscriptionsApiDeps, request: GraphRequest): Promise<GraphAnswer> {
  const rules = { nowMs: deps.now(), allowHttp: deps.allowHttpNotificationUrls };
  const written = draftSubscription(objectBody(request), rules);
  const { clientId, tenantId } = request.application;
  const draft = { ...written, path: deps.resolve(written.path, tenantId) };
  checkRoom(deps, draft, request.application);
  await deps.validateEndpoint(draft.notificationUrl);
  if (draft.lifecycleNotificationUrl !== null) await deps.validateEndpoint(draft.lifecycleNotificationUrl);
  // Once more: another may have been made while the endpoint was asked.
  checkRoom(deps, draft, request.application);
  const subscription = deps.subscriptions.add({
    ...draft,
    id: randomUUID(),
    target: draft.path.key,
    applicationId: clientId,
    creatorId: clientId,
    tenantId,
    immutableIds: wantsImmutableIds(request),
    authorizedUntilMs: request.authorizedUntilMs,
  });
  return {
    status: 201,
    body: { '@odata.context': context(request, true), ...subscriptionBody(subscription) },
  };
}

/** Graph's metadata allows no query option here; pages go by nextLink alone. */
function refuseOptions(query: URLSearchParams): void {
  const refused = [...query.keys()].find((name) => name.startsWith('$') && name !== '$skiptoken');
  if (refused === undefined) return;
  throw new GraphError(400, 'BadRequest', `The query option '${refused}' is not allowed on subscriptions.`);
}

function list(deps: SubscriptionsApiDeps, request: GraphRequest): GraphAnswer {
  refuseOptions(request.query);
  const after = Number(request.query.get('$skiptoken') ?? 0);
  if (!Number.isInteger(after)) throw new GraphError(400, 'BadRequest', 'The skip token is not valid.');
  const { clientId, tenantId } = request.application;
  const rest = deps.subscriptions.list(clientId, tenantId).filter((one) => one.sequence > after);
  const page = rest.slice(0, deps.pageSize);
  const link =
    rest.length > page.length ? nextLink(request, '$skiptoken', String(page.at(-1)?.sequence)) : {};
  const body = { '@odata.context': context(request, false), ...link, value: page.map(subscriptionBody) };
  return { status: 200, body };
}

function read(deps: SubscriptionsApiDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  const subscription = owned(deps, request, path.segments[0]?.id);
  return {
    status: 200,
    body: { '@odata.context': context(request, true), ...subscriptionBody(subscription) },
  };
}

/**
 * Whether Graph asks a new notificationUrl on PATCH is not documented. A new address is asked here, since it was never
 * heard of; a renewal of the old one is not.
 */
async function update(
  deps: SubscriptionsApiDeps,
  request: GraphRequest,
  path: ResourcePath,
): Promise<GraphAnswer> {
  const current = owned(deps, request, path.segments[0]?.id);
  const rules = { nowMs: deps.now(), allowHttp: deps.allowHttpNotificationUrls };
  const patch = draftPatch(objectBody(request), current, rules);
  const isNewUrl = patch.notificationUrl !== null && patch.notificationUrl !== current.notificationUrl;
  if (isNewUrl) await deps.validateEndpoint(patch.notificationUrl);
  const renewed = deps.subscriptions.renew(current.id, {
    authorizedUntilMs: request.authorizedUntilMs,
    ...(patch.expiresAtMs !== null && { expiresAtMs: patch.expiresAtMs }),
    ...(patch.notificationUrl !== null && { notificationUrl: patch.notificationUrl }),
    ...(patch.encryptionCertificate !== null && { encryptionCertificate: patch.encryptionCertificate }),
    ...(patch.encryptionCertificateId !== null && { encryptionCertificateId: patch.encryptionCertificateId }),
  });
  if (renewed === undefined) throw new GraphError(404, 'ResourceNotFound', 'The object was not found.');
  return { status: 200, body: { '@odata.context': context(request, true), ...subscriptionBody(renewed) } };
}

function remove(deps: SubscriptionsApiDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  deps.subscriptions.remove(owned(deps, request, path.segments[0]?.id).id);
  return { status: 204 };
}

function reauthorize(deps: SubscriptionsApiDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  const { id } = owned(deps, request, path.segments[0]?.id);
  deps.subscriptions.reauthorize(id, request.authorizedUntilMs);
  return { status: 204 };
}

export function createSubscriptionsApi(deps: SubscriptionsApiDeps): Handler {
  const ofCollection: Record<string, Handler> = {
    GET: (request) => list(deps, request),
    POST: (request) => create(deps, request),
  };
  const ofItem: Record<string, Handler> = {
    GET: (request, path) => read(deps, request, path),
    PATCH: (request, path) => update(deps, request, path),
    DELETE: (request, path) => remove(deps, request, path),
  };
  const ofReauthorize: Record<string, Handler> = {
    POST: (request, path) => reauthorize(deps, request, path),
  };
  const routes: Record<string, Record<string, Handler>> = {
    subscriptions: ofItem,
    'subscriptions/reauthorize': ofReauthorize,
  };
  return (request, path) => {
    const route = path.isCollection ? ofCollection : routes[path.words];
    const handler = route?.[request.method];
    if (handler === undefined) throw new GraphError(405, 'BadRequest', 'The method is not allowed here.');
    deps.throttle(request, path);
    return handler(request, path);
  };
}
