// What can be asked to go wrong: rules for calls, for deliveries, for consent and for the clock.
import type { Forgery } from './forgery-kinds.ts';

/** How an answer goes wrong in a way that no status tells; see fault-answers.ts for what each sends. */
export const FAULT_KINDS = [
  'reset',
  'hang',
  'garbage',
  'html',
  'truncated',
  'endless',
  'slow-loris',
  'gzip-bomb',
  'redirect',
  'early404',
  'expired-token',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** How long a rule holds, and for which part of what fits it. A rule is done when any of its ends is reached. */
export interface FaultSpan {
  /** How many it spoils; 1 unless said, or no end of them where forMs, eachForMs or share is given. Infinity is allowed. */
  readonly times?: number;
  /** So many that fit go unharmed first. */
  readonly after?: number;
  /** Each one that fits is spoiled with this probability, 0 to 1, drawn from the simulator's seed. */
  readonly share?: number;
  /** The rule ends so long after it was added, by the simulator's clock. */
  readonly forMs?: number;
}

/** Kinds that send an answer of their own; an expired token is answered by the delta query. */
export type AnswerKind = Exclude<FaultKind, 'expired-token'>;

export interface RequestFault extends FaultSpan {
  readonly on?: 'request';
  readonly method?: string;
  /**
   * A RegExp is tried on the decoded path ("/v1.0/users/…"); a string must be the same resource in any spelling
   * ("users/{id}/events/{id}", with or without "/v1.0"), or else the very path ("/{tenant}/oauth2/v2.0/token").
   * Without a path the rule fits every call under /v1.0.
   */
  readonly path?: RegExp | string;
  readonly match?: (call: FaultableCall) => boolean;
  /** Each path by itself is spoiled for so long from its first call on, and never again: Graph's early 404s. */
  readonly eachForMs?: number;
  /** Waits before the answer; alone, the real answer follows. */
  readonly delayMs?: number;
  readonly status?: number;
  /** e.g. `{ 'retry-after': '2.128' }`; for 'redirect' the location. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is if a string, else as JSON; without it a status gets Graph's error body. */
  readonly body?: unknown;
  /** 'expired-token' fits only delta queries that bring a token; `status` (410, 404, 400) says in which form. */
  readonly kind?: FaultKind;
}

/** Exactly one of drop, forge, duplicate, delayMs and reorder is meant; the first that is set counts. */
export interface DeliveryFault extends FaultSpan {
  readonly on: 'delivery';
  readonly match?: (item: FaultableItem) => boolean;
  /** The item is never sent. With forMs: silence, as of a subscription that lives and brings nothing. */
  readonly drop?: boolean;
  /**
   * A forged POST goes in the item's place, once and alone; with `duplicate` beside it. Only what carries resource data
   * fits, except for the two forgeries of the clientState.
   */
  readonly forge?: Forgery;
  /** The item is sent twice. */
  readonly duplicate?: boolean;
  /** The item is held back this long. */
  readonly delayMs?: number;
  /** The item is held back until the next one for the same endpoint has gone ahead. */
  readonly reorder?: boolean;
}

/** An administrator withdraws what the app was allowed, until the rule ends. */
export interface ConsentFault extends Pick<FaultSpan, 'forMs'> {
  readonly on: 'consent';
  /** Every app without it. */
  readonly clientId?: string;
  /** Every tenant without it. */
  readonly tenantId?: string;
  /** "events", "messages", "users" …: a word of the resource's path; everything without it. */
  readonly resource?: string;
  /** 'graph' (unless said): 403 from Graph. 'login': the authority gives no token either, for whatever resource. */
  readonly at?: 'graph' | 'login';
}

/** Graph's clock is wrong by so much, in Date headers, in tokens and in the expiry of subscriptions. */
export interface ClockFault extends Pick<FaultSpan, 'forMs'> {
  readonly on: 'clock';
  /** Positive: Graph's clock is ahead. */
  readonly skewMs: number;
}

/** Graph takes no call of an app any more, or none for a mailbox: 429, also for a batch as a whole. */
export interface ThrottleFault extends FaultSpan {
  readonly on: 'throttle';
  /** All that an app does; all that it does in a tenant; all that it does in a mailbox. */
  readonly scope: 'application' | 'tenant' | 'mailbox';
  /** Every app without it. */
  readonly clientId?: string;
  /** Every tenant without it. */
  readonly tenantId?: string;
  /** "users/{id}"; each mailbox without it. */
  readonly mailbox?: string;
  /** Of a mailbox: 'concurrency' (unless said), 4 calls at once; 'requests', 10,000 in 10 minutes. */
  readonly limit?: 'concurrency' | 'requests';
  /** What Retry-After tells; the rest of `forMs` unless said, and 10 s without that. */
  readonly retryAfterMs?: number;
}

export type Fault = RequestFault | DeliveryFault | ConsentFault | ClockFault | ThrottleFault;

export interface FaultableCall {
  readonly method: string;
  /** Decoded, without query: "/v1.0/users/{id}/events/{id}". */
  readonly path: string;
  /** As it came; absent for calls of the login authority. */
  readonly query?: URLSearchParams;
}

export interface FaultableItem {
  readonly notificationUrl: string;
  readonly subscriptionId: string;
  /** Canonical: "users/{id}/events/{id}". */
  readonly resource: string;
  readonly changeType: string;
  readonly version: number;
  /** Defined where the item carries resource data. */
  readonly audience?: unknown;
}

export interface FaultableApp {
  readonly clientId: string;
  readonly tenantId: string;
}

export interface ThrottleableCall extends FaultableApp {
  /** Canonical: "users/{id}"; undefined for a call that concerns no mailbox. */
  readonly mailbox: string | undefined;
  /** "GET users/{id}/events" */
  readonly subject: string;
}

/** What a rule does, in a word or two: "status 503", "slow-loris", "drop", "forge expired". */
export function effectOf(fault: Fault): string {
  if (fault.on === 'clock') return `clock ${fault.skewMs} ms`;
  if (fault.on === 'consent') return `consent withdrawn at ${fault.at ?? 'graph'}`;
  if (fault.on === 'throttle') return `throttle ${fault.scope}`;
  if (fault.on === 'delivery') return deliveryEffect(fault);
  if (fault.kind !== undefined) return fault.kind;
  if (fault.status !== undefined) return `status ${fault.status}`;
  return fault.body === undefined ? `delay ${fault.delayMs ?? 0} ms` : 'body';
}

function deliveryEffect({ drop, forMs, forge, duplicate, delayMs, reorder }: DeliveryFault): string {
  if (drop) return forMs === undefined ? 'drop' : 'silence';
  if (forge !== undefined) return `forge ${forge}`;
  if (duplicate) return 'duplicate';
  if (delayMs !== undefined) return `delay ${delayMs} ms`;
  return reorder ? 'reorder' : 'none';
}
