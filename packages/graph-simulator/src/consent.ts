// Refuses an app what an administrator has taken back, in the words of each part of Graph.
import type { Faults } from './faults.ts';
import { GraphError, type GraphRequest, type JsonObject } from './graph-exchange.ts';
import { kindOf } from './resource-kinds.ts';
import type { ResourcePath } from './resource-path.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export interface ConsentDeps {
  readonly faults: Faults;
  readonly subscriptions: SubscriptionStore;
}

function refusal(path: ResourcePath): GraphError {
  const kind = kindOf(path);
  if (kind?.versionForm === 'outlook') {
    return new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  }
  if (kind?.isTeams) {
    return new GraphError(403, 'Forbidden', 'Missing role permissions on the request.');
  }
  const text = 'Insufficient privileges to complete the operation.';
  return new GraphError(403, 'Authorization_RequestDenied', text);
}

/** To make or renew a subscription takes the permission of its resource; to list, read or delete it takes none. */
function subscribedResource(
  { subscriptions }: ConsentDeps,
  request: GraphRequest,
  path: ResourcePath,
): string | undefined {
  if (request.method !== 'POST' && request.method !== 'PATCH') return undefined;
  const id = path.segments[0]?.id;
  if (id !== undefined) return subscriptions.get(id)?.resource;
  const { resource } = (request.body ?? {}) as JsonObject;
  return typeof resource === 'string' ? resource : undefined;
}

/** In this form Graph reports what the service behind a resource says (GitHub, OneDrive/onedrive-api-docs#1398). */
function subscriptionRefusal({ method }: GraphRequest): GraphError {
  const operation = method === 'POST' ? 'Create' : 'Update';
  const text = `Operation: ${operation}; Exception: [Status Code: Forbidden; Reason: Access denied]`;
  return new GraphError(403, 'ExtensionError', text);
}

/** @throws {GraphError} 403 while the consent to it is withdrawn */
export function checkConsent(deps: ConsentDeps, request: GraphRequest, path: ResourcePath): void {
  const isSubscription = path.segments[0]?.word === 'subscriptions';
  const resource = isSubscription ? subscribedResource(deps, request, path) : request.path;
  if (resource === undefined || !deps.faults.refusesResource(request.application, resource)) return;
  throw isSubscription ? subscriptionRefusal(request) : refusal(path);
}
