// How many calls about subscriptions Graph takes, and its answer to one too many.
//
// Graph page "Microsoft Graph service-specific throttling limits", subscription service (February 2026).
import { CallWindows } from './call-windows.ts';
import { GraphError, type GraphRequest } from './graph-exchange.ts';
import type { ResourcePath } from './resource-path.ts';

/** Calls in a window. */
export interface CallLimit {
  /** Of one application in all tenants. */
  readonly perApplication: number;
  readonly perApplicationAndTenant: number;
}

export interface SubscriptionThrottling {
  readonly windowMs: number;
  /** POST, PATCH and DELETE together. */
  readonly write: CallLimit;
  readonly reauthorize: CallLimit;
  readonly read: CallLimit;
  readonly list: CallLimit;
}

export const GRAPH_SUBSCRIPTION_THROTTLING: SubscriptionThrottling = {
  windowMs: 20_000,
  write: { perApplication: 2_000, perApplicationAndTenant: 500 },
  reauthorize: { perApplication: 4_000, perApplicationAndTenant: 1_000 },
  read: { perApplication: 2_000, perApplicationAndTenant: 500 },
  list: { perApplication: 40, perApplicationAndTenant: 25 },
};

type CallKind = Exclude<keyof SubscriptionThrottling, 'windowMs'>;

export interface SubscriptionThrottleDeps {
  /** False: every call is taken. */
  readonly limits: SubscriptionThrottling | false;
  /** On a scale that never goes back. */
  readonly elapsed: () => number;
  /** The header that tells the wait, in the form that is set; none where it is to be absent. */
  readonly retryAfter: (waitMs: number) => Readonly<Record<string, string>>;
}

function kindOfCall(method: string, path: ResourcePath): CallKind {
  if (path.words === 'subscriptions/reauthorize') return 'reauthorize';
  if (method !== 'GET') return 'write';
  return path.isCollection ? 'list' : 'read';
}

/** A check to be called with each call about subscriptions. @throws {GraphError} 429, from the function that is made */
export function createSubscriptionThrottle(
  deps: SubscriptionThrottleDeps,
): (request: GraphRequest, path: ResourcePath) => void {
  const { limits, elapsed, retryAfter } = deps;
  if (limits === false) return () => undefined;
  const windows = new CallWindows(limits.windowMs);
  return ({ method, application: { clientId, tenantId } }, path) => {
    const kind = kindOfCall(method, path);
    const nowMs = elapsed();
    const { perApplication, perApplicationAndTenant } = limits[kind];
    const waits = [
      windows.count(`${kind} ${clientId}`, perApplication, nowMs),
      windows.count(`${kind} ${clientId} ${tenantId}`, perApplicationAndTenant, nowMs),
    ].filter((waitMs) => waitMs !== undefined);
    if (waits.length === 0) return;
    const headers = retryAfter(Math.max(...waits));
    throw new GraphError(
      429,
      'TooManyRequests',
      'Too many requests. Please retry later.',
      undefined,
      headers,
    );
  };
}
