// Whether a rule fits a call, an item or an app, apart from how often it may be applied.
import type {
  ConsentFault,
  DeliveryFault,
  FaultableApp,
  FaultableCall,
  FaultableItem,
  RequestFault,
  ThrottleableCall,
  ThrottleFault,
} from './fault-rules.ts';
import { needsResourceData } from './forgery-kinds.ts';
import { parseResourcePath, type ResourcePath } from './resource-path.ts';

const API_PREFIX = '/v1.0/';

function parsed(path: string): ResourcePath | undefined {
  try {
    return parseResourcePath(path.startsWith(API_PREFIX) ? path.slice(API_PREFIX.length) : path);
  } catch {
    return undefined;
  }
}

function pathMatcher(path: RequestFault['path']): (callPath: string) => boolean {
  if (path === undefined) return (callPath) => callPath.startsWith(API_PREFIX);
  if (path instanceof RegExp) {
    // A copy without the flags that make test() remember where it stopped.
    const pattern = new RegExp(path.source, path.flags.replace(/[gy]/g, ''));
    return (callPath) => pattern.test(callPath);
  }
  const key = parsed(path)?.key;
  return (callPath) =>
    callPath === path ||
    (callPath.startsWith(API_PREFIX) && key !== undefined && parsed(callPath)?.key === key);
}

const TOKENS = ['$deltatoken', '$skiptoken', 'token'];

/** A delta query that goes on from a token, which "latest" is not. */
function bringsToken({ path, query }: FaultableCall): boolean {
  const isDelta = /\/(microsoft\.graph\.)?delta(\(.*\))?$/i.test(path);
  return isDelta && TOKENS.some((name) => !['', 'latest', null].includes(query?.get(name) ?? null));
}

export function requestMatcher({
  method,
  path,
  kind,
  match,
}: RequestFault): (call: FaultableCall) => boolean {
  const fitsPath = pathMatcher(path);
  return (call) =>
    (method === undefined || method.toUpperCase() === call.method) &&
    fitsPath(call.path) &&
    (kind !== 'expired-token' || bringsToken(call)) &&
    (match?.(call) ?? true);
}

export function deliveryMatcher({ forge, match }: DeliveryFault): (item: FaultableItem) => boolean {
  const needsData = forge !== undefined && needsResourceData(forge);
  return (item) => !(needsData && item.audience === undefined) && (match?.(item) ?? true);
}

/** The mailbox is compared as paths are: words and GUIDs in any case. */
export function throttleMatcher(fault: ThrottleFault): (call: ThrottleableCall) => boolean {
  const mailbox = fault.mailbox === undefined ? undefined : parsed(fault.mailbox)?.key;
  return (call) =>
    concernsApp(fault, call) &&
    (fault.scope !== 'mailbox' ||
      (call.mailbox !== undefined && (fault.mailbox === undefined || call.mailbox === mailbox)));
}

/** Whom a withdrawn consent concerns. GUIDs are compared without case, as Entra does. */
export function concernsApp({ clientId, tenantId }: Partial<FaultableApp>, app: FaultableApp): boolean {
  const same = (wanted: string | undefined, actual: string) =>
    wanted === undefined || wanted.toLowerCase() === actual.toLowerCase();
  return same(clientId, app.clientId) && same(tenantId, app.tenantId);
}

/** @param resource a path below /v1.0, or what a subscription wants to hear of; its query does not matter */
export function concernsResource({ resource: word }: ConsentFault, resource: string): boolean {
  if (word === undefined) return true;
  const words = parsed(resource.split('?', 1)[0] ?? '')?.words.split('/') ?? [];
  return words.includes(word.toLowerCase());
}
