// How many calls Graph takes: of everybody, for a mailbox at once and in a time, for the directory in resource units.
//
// Graph page "Microsoft Graph service-specific throttling limits" (February 2026).
import { CallWindows } from './call-windows.ts';
import { GraphError } from './graph-exchange.ts';
import type { ResourcePath } from './resource-path.ts';
import { type WordTable, wordTable } from './word-table.ts';

export interface RequestLimits {
  /** Of one app in all tenants. */
  readonly requests: number;
  readonly requestsWindowMs: number;
  /** Calls of one app under way at once for one mailbox. */
  readonly mailboxConcurrency: number;
  readonly mailboxRequests: number;
  readonly mailboxWindowMs: number;
  /** What a call that was one too many at once is told to wait; Graph documents no number. */
  readonly mailboxConcurrencyWaitMs: number;
  /** Of one app in one tenant, by the tenant's size: under 50 users, up to 500, more. */
  readonly identityUnits: { readonly small: number; readonly medium: number; readonly large: number };
  readonly identityWindowMs: number;
  readonly identityWrites: number;
  readonly identityWritesWindowMs: number;
}

export const GRAPH_REQUEST_LIMITS: RequestLimits = {
  requests: 130_000,
  requestsWindowMs: 10_000,
  mailboxConcurrency: 4,
  mailboxRequests: 10_000,
  mailboxWindowMs: 600_000,
  mailboxConcurrencyWaitMs: 1_000,
  identityUnits: { small: 3_500, medium: 5_000, large: 8_000 },
  identityWindowMs: 10_000,
  identityWrites: 3_000,
  identityWritesWindowMs: 150_000,
};

/** What the limits have to know of a call. */
export interface LimitedCall {
  readonly method: string;
  /** Resolved, so that every spelling of a mailbox counts together. */
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly application: { readonly clientId: string; readonly tenantId: string };
}

export interface Admission {
  /** What an answer tells of the directory's limits; empty for other calls. */
  readonly headers: Readonly<Record<string, string>>;
  /** To be called once when the call is over. */
  readonly release: () => void;
}

export interface RequestLimitsDeps {
  /** False: every call is taken. */
  readonly limits: RequestLimits | false;
  /** On a scale that never goes back. */
  readonly elapsed: () => number;
  readonly retryAfter: (waitMs: number) => Readonly<Record<string, string>>;
  /** How many users the tenant has. */
  readonly tenantSize: (tenantId: string) => number;
}

const OUTLOOK_WORDS = new Set(
  [
    'calendar calendars calendargroups calendarview events messages mailfolders contacts contactfolders outlook',
    'inferenceclassification people sendmail mailboxsettings conversations threads',
  ].flatMap((line) => line.split(' ')),
);

/** "users/{id}" or "groups/{id}" of a call to Outlook; undefined for calls of other services. */
export function mailboxOf({ segments }: ResourcePath): string | undefined {
  const [owner, part] = segments;
  const hasMailbox = owner?.word === 'users' || owner?.word === 'groups';
  if (!hasMailbox || owner.id === undefined || part === undefined) return undefined;
  return OUTLOOK_WORDS.has(part.word) ? `${owner.word}/${owner.id}` : undefined;
}

const isIdentity = (path: ResourcePath) =>
  ['users', 'groups', 'directory', 'directoryobjects'].includes(path.segments[0]?.word ?? '') &&
  mailboxOf(path) === undefined &&
  !path.words.startsWith('users/');

/** Resource units of a call before its query options; what the page's table does not name costs 1. */
const READ_COSTS: WordTable<number> = wordTable({
  users: 2,
  'groups/members': 3,
  'groups/transitivemembers': 5,
});
const SMALL_PAGE = 20;

/** Same page: $select and a small $top make it 1 cheaper each, $expand 1 dearer, and it never costs less than 1. */
export function resourceUnits({ method, path, query }: Omit<LimitedCall, 'application'>): number {
  const base = method === 'GET' && path.isCollection ? (READ_COSTS.get(path.words) ?? 1) : 1;
  const top = query.get('$top');
  const cheaper = Number(query.has('$select')) + Number(top !== null && Number(top) < SMALL_PAGE);
  return Math.max(base - cheaper + Number(query.has('$expand')), 1);
}

function throttled(headers: Readonly<Record<string, string>>): GraphError {
  const text = 'Please retry again later.';
  return new GraphError(429, 'TooManyRequests', text, undefined, headers);
}

function overConcurrency(headers: Readonly<Record<string, string>>): GraphError {
  const text = 'Application is over its MailboxConcurrency limit.';
  return new GraphError(429, 'ApplicationThrottled', text, undefined, headers);
}

/** From this share on, answers tell how much of the limit is used. */
const TOLD_SHARE = 0.8;

class IdentityLimits {
  readonly #limits: RequestLimits;
  readonly #deps: RequestLimitsDeps;
  readonly #units: CallWindows;
  readonly #writes: CallWindows;

  constructor(limits: RequestLimits, deps: RequestLimitsDeps) {
    this.#limits = limits;
    this.#deps = deps;
    this.#units = new CallWindows(limits.identityWindowMs);
    this.#writes = new CallWindows(limits.identityWritesWindowMs);
  }

  /** @returns the headers that tell of the use @throws {GraphError} 429 */
  count(call: LimitedCall): Readonly<Record<string, string>> {
    const { clientId, tenantId } = call.application;
    const caller = `${clientId} ${tenantId}`;
    const nowMs = this.#deps.elapsed();
    const cost = resourceUnits(call);
    const allowed = this.#allowed(tenantId);
    const used = { 'x-ms-resource-unit': String(cost) };
    const waits = [
      this.#units.count(caller, allowed, nowMs, cost),
      call.method === 'GET' ? undefined : this.#writes.count(caller, this.#limits.identityWrites, nowMs),
    ].filter((waitMs) => waitMs !== undefined);
    const share = this.#units.used(caller, nowMs) / allowed;
    const told =
      share < TOLD_SHARE ? {} : { 'x-ms-throttle-limit-percentage': Math.min(share, 1.8).toFixed(1) };
    if (waits.length === 0) return { ...used, ...told };
    const scope = { 'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${clientId}/${tenantId}` };
    const why = { 'x-ms-throttle-information': 'ResourceUnitLimitExceeded' };
    throw throttled({ ...used, ...told, ...scope, ...why, ...this.#deps.retryAfter(Math.max(...waits)) });
  }

  #allowed(tenantId: string): number {
    const { small, medium, large } = this.#limits.identityUnits;
    const users = this.#deps.tenantSize(tenantId);
    if (users < 50) return small;
    return users <= 500 ? medium : large;
  }
}

class MailboxLimits {
  readonly #limits: RequestLimits;
  readonly #deps: RequestLimitsDeps;
  readonly #calls: CallWindows;
  readonly #underWay = new Map<string, number>();

  constructor(limits: RequestLimits, deps: RequestLimitsDeps) {
    this.#limits = limits;
    this.#deps = deps;
    this.#calls = new CallWindows(limits.mailboxWindowMs);
  }

  /** @returns what releases the place of the call @throws {GraphError} 429 */
  enter(caller: string): () => void {
    const { mailboxRequests, mailboxConcurrency, mailboxConcurrencyWaitMs } = this.#limits;
    const waitMs = this.#calls.count(caller, mailboxRequests, this.#deps.elapsed());
    if (waitMs !== undefined) throw throttled(this.#deps.retryAfter(waitMs));
    const underWay = this.#underWay.get(caller) ?? 0;
    if (underWay >= mailboxConcurrency)
      throw overConcurrency(this.#deps.retryAfter(mailboxConcurrencyWaitMs));
    this.#underWay.set(caller, underWay + 1);
    return () => {
      const left = (this.#underWay.get(caller) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(caller);
      else this.#underWay.set(caller, left);
    };
  }
}

const NOTHING: Admission = { headers: {}, release: () => undefined };

/** A function that lets a call in. @throws {GraphError} 429, from the function that is made */
export function createRequestLimits(deps: RequestLimitsDeps): (call: LimitedCall) => Admission {
  const { limits } = deps;
  if (limits === false) return () => NOTHING;
  const everything = new CallWindows(limits.requestsWindowMs);
  const identity = new IdentityLimits(limits, deps);
  const mailboxes = new MailboxLimits(limits, deps);
  return (call) => {
    const { clientId, tenantId } = call.application;
    const waitMs = everything.count(clientId, limits.requests, deps.elapsed());
    if (waitMs !== undefined) {
      const scope = { 'x-ms-throttle-scope': `Application/ReadWrite/${clientId}` };
      throw throttled({ ...scope, ...deps.retryAfter(waitMs) });
    }
    const mailbox = mailboxOf(call.path);
    if (mailbox !== undefined) {
      return { headers: {}, release: mailboxes.enter(`${clientId} ${tenantId} ${mailbox}`) };
    }
    return isIdentity(call.path) ? { ...NOTHING, headers: identity.count(call) } : NOTHING;
  };
}
