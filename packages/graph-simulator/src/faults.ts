// Rules that make calls of the API or deliveries of notifications go wrong, a given number of times.
import { parseResourcePath } from './resource-path.ts';

/** How an answer goes wrong in a way that no status tells; see fault-answers.ts for what each sends. */
export type FaultKind =
  | 'reset'
  | 'hang'
  | 'garbage'
  | 'html'
  | 'truncated'
  | 'endless'
  | 'redirect'
  | 'early404';

export interface RequestFault {
  readonly on?: 'request';
  readonly method?: string;
  /**
   * A RegExp is tried on the decoded path ("/v1.0/users/…"); a string must be the same resource in any spelling
   * ("users/{id}/events/{id}", with or without "/v1.0"), or else the very path ("/{tenant}/oauth2/v2.0/token").
   * Without a path the rule fits every call under /v1.0.
   */
  readonly path?: RegExp | string;
  readonly match?: (call: FaultableCall) => boolean;
  /** How many calls it spoils; 1 unless said, Infinity is allowed. */
  readonly times?: number;
  /** Waits before the answer; alone, the real answer follows. */
  readonly delayMs?: number;
  readonly status?: number;
  /** e.g. `{ 'retry-after': '2.128' }`; for 'redirect' the location. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is if a string, else as JSON; without it a status gets Graph's error body. */
  readonly body?: unknown;
  readonly kind?: FaultKind;
}

/** Exactly one of drop, duplicate, delayMs and reorder is meant; the first that is set counts. */
export interface DeliveryFault {
  readonly on: 'delivery';
  readonly match?: (item: FaultableItem) => boolean;
  readonly times?: number;
  /** The item is never sent. */
  readonly drop?: boolean;
  /** The item is sent twice. */
  readonly duplicate?: boolean;
  /** The item is held back this long. */
  readonly delayMs?: number;
  /** The item is held back until the next one for the same endpoint has gone ahead. */
  readonly reorder?: boolean;
}

export type Fault = RequestFault | DeliveryFault;

export interface FaultableCall {
  readonly method: string;
  /** Decoded, without query: "/v1.0/users/{id}/events/{id}". */
  readonly path: string;
}

export interface FaultableItem {
  readonly notificationUrl: string;
  readonly subscriptionId: string;
  /** Canonical: "users/{id}/events/{id}". */
  readonly resource: string;
  readonly changeType: string;
  readonly version: number;
}

export interface FaultHandle {
  /** How often the rule has been applied. */
  readonly hits: number;
  remove(): void;
}

interface Rule<F> {
  readonly fault: F;
  readonly fits: (subject: never) => boolean;
  hits: number;
}

const API_PREFIX = '/v1.0/';

function resourceKey(path: string): string | undefined {
  try {
    return parseResourcePath(path.startsWith(API_PREFIX) ? path.slice(API_PREFIX.length) : path).key;
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
  const key = resourceKey(path);
  return (callPath) =>
    callPath === path ||
    (callPath.startsWith(API_PREFIX) && key !== undefined && resourceKey(callPath) === key);
}

function requestMatcher({ method, path, match }: RequestFault): (call: FaultableCall) => boolean {
  const fitsPath = pathMatcher(path);
  return (call) =>
    (method === undefined || method.toUpperCase() === call.method) &&
    fitsPath(call.path) &&
    (match?.(call) ?? true);
}

/** Rules are tried in the order in which they were added; the first that fits is applied, alone. */
export class Faults {
  #requests: Rule<RequestFault>[] = [];
  #deliveries: Rule<DeliveryFault>[] = [];

  add(fault: Fault): FaultHandle {
    if (fault.on === 'delivery') {
      const rule: Rule<DeliveryFault> = { fault, hits: 0, fits: fault.match ?? (() => true) };
      this.#deliveries.push(rule);
      return this.#handle(rule);
    }
    const rule: Rule<RequestFault> = { fault, hits: 0, fits: requestMatcher(fault) };
    this.#requests.push(rule);
    return this.#handle(rule);
  }

  /** All rules of both sides are forgotten. */
  clear(): void {
    this.#requests = [];
    this.#deliveries = [];
  }

  takeForRequest(call: FaultableCall): RequestFault | undefined {
    return take(this.#requests, call as never);
  }

  takeForDelivery(item: FaultableItem): DeliveryFault | undefined {
    return take(this.#deliveries, item as never);
  }

  #handle(rule: Rule<RequestFault> | Rule<DeliveryFault>): FaultHandle {
    return {
      get hits() {
        return rule.hits;
      },
      remove: () => {
        this.#requests = this.#requests.filter((other) => other !== rule);
        this.#deliveries = this.#deliveries.filter((other) => other !== rule);
      },
    };
  }
}

function take<F extends Fault>(rules: readonly Rule<F>[], subject: never): F | undefined {
  if (rules.length === 0) return undefined;
  const rule = rules.find(({ fault, hits, fits }) => hits < (fault.times ?? 1) && fits(subject));
  if (rule === undefined) return undefined;
  rule.hits += 1;
  return rule.fault;
}
