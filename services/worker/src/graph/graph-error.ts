/** What can go wrong with a request to Graph, told apart by what has to be done next. */

export type GraphFailure =
  /** 429, or 503 with a Retry-After: not before that time. Spends no attempt. */
  | {
      readonly kind: 'throttled';
      readonly retryAfterMs: number | undefined;
      /** "app": whatever this app asks in this tenant meets the same; "request": its mailbox, or not known. */
      readonly scope: 'request' | 'app';
    }
  /** 401 after a fresh token, or no token to be had: nothing of this tenant can be read now. */
  | { readonly kind: 'unauthorized'; readonly detail: string }
  /** 403: this resource may not be read; trying again does not change that. */
  | { readonly kind: 'forbidden'; readonly code: string }
  | { readonly kind: 'notFound' }
  /** 410: it was there, and is not coming back. */
  | { readonly kind: 'gone' }
  /** 5xx, network, deadline: worth another try. */
  | { readonly kind: 'transient'; readonly detail: string }
  /** Any other 4xx: the request itself is refused, with Graph's code and words. */
  | { readonly kind: 'rejected'; readonly status: number; readonly code: string; readonly detail: string }
  /** 2xx that is no JSON object, too large, or a redirect: not Graph as documented. */
  | { readonly kind: 'unusable'; readonly detail: string };

export type GraphsWords = { readonly code: string; readonly message: string };

export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly failure: GraphFailure;
  /** Graph's own code and words; absent where it did not answer. */
  readonly said: GraphsWords | undefined;

  constructor(failure: GraphFailure, options?: ErrorOptions & { readonly said?: GraphsWords }) {
    super(describeFailure(failure), options);
    this.failure = failure;
    this.said = options?.said;
  }
}

/** One line for logs and dead letters; holds no body, no token, no URL. */
export function describeFailure(failure: GraphFailure): string {
  switch (failure.kind) {
    case 'throttled':
      return [
        failure.scope === 'app' ? 'throttled, the whole app' : 'throttled',
        ...(failure.retryAfterMs === undefined ? [] : [`retry after ${failure.retryAfterMs} ms`]),
      ].join(', ');
    case 'forbidden':
      return `forbidden (${failure.code})`;
    case 'rejected':
      return `rejected with ${failure.status} (${failure.code}): ${failure.detail}`;
    case 'unauthorized':
    case 'transient':
    case 'unusable':
      return `${failure.kind}: ${failure.detail}`;
    case 'notFound':
    case 'gone':
      return failure.kind;
  }
}

/**
 * The failure that an answer stands for, whether it came alone or as a part of a batch. `header` finds one by its name
 * in lower case; `body` is what Graph sent with it, if it was JSON; `now` in epoch milliseconds.
 */
export function failureOfAnswer(
  status: number,
  header: (name: string) => string | null,
  body: unknown,
  now: number,
): GraphFailure {
  const { code, message } = errorOf(body);
  const retryAfterMs = parseRetryAfter(header('retry-after'), now);
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    const isOfApp = isAppScope(header('x-ms-throttle-scope')) || isAppThrottled(code, message);
    return { kind: 'throttled', retryAfterMs, scope: isOfApp ? 'app' : 'request' };
  }
  if (status === 401) return { kind: 'unauthorized', detail: code };
  if (status === 403) return { kind: 'forbidden', code };
  if (status === 404) return { kind: 'notFound' };
  if (status === 410) return { kind: 'gone' };
  if (status === 408 || status >= 500) return { kind: 'transient', detail: `status ${status} (${code})` };
  if (status >= 300 && status < 400) return { kind: 'unusable', detail: `a redirect (status ${status})` };
  return { kind: 'rejected', status, code, detail: message };
}

/** `Tenant_Application/ReadWrite/{app}/{tenant}` (Graph: throttling-limits, "Response headers"). */
function isAppScope(header: string | null): boolean {
  return /^\s*(Tenant_Application|Tenant|Application)(\/|\s*$)/i.test(header ?? '');
}

/** Outlook says "Application is over its MailboxConcurrency limit." of one mailbox: the others may go on. */
function isAppThrottled(code: string, message: string): boolean {
  return /^(Application|Tenant)Throttled$/i.test(code) && !/mailbox/i.test(message);
}

/** Graph's error body: `{"error":{"code":…,"message":…}}`; cut, and on one line, since logs and records show it. */
export function errorOf(body: unknown): GraphsWords {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null | undefined)?.error;
  const short = (value: unknown) =>
    typeof value === 'string' ? value.slice(0, 200).replaceAll(/\p{Cc}+/gu, ' ') : 'no code';
  return { code: short(error?.code), message: short(error?.message) };
}

const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** The one form of date that a server may still send (RFC 9110); `Date.parse` alone reads "after 3000" as a year. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * `Retry-After` in milliseconds: seconds, also with a fraction such as `2.128` (Graph: throttling), or an HTTP
 * date. What cannot be read, and negative values, count as absent; an hour is the most that is believed.
 */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_RETRY_AFTER_MS);
  const ms = HTTP_DATE.test(text) ? Date.parse(text) - now : Number.NaN;
  return ms >= 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : undefined;
}
