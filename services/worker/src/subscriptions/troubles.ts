/**
 * Why a wish is not served, or not as it should be: a name for each cause, what can be done, and how soon another try is
 * worth it. Pure. The causes are told apart by Graph's status, code and words, as its documentation and the field have them.
 */
import { GraphError } from '../graph/graph-error.ts';
import type { Patience } from './renewal-time.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In the order in which a page shows them. */
export const TROUBLES = {
  'graph-away': {
    firstMs: 30 * SECOND,
    longestMs: 10 * MINUTE,
    means: 'Graph does not answer, or not as it should',
  },
  'in-doubt': {
    firstMs: MINUTE,
    longestMs: 10 * MINUTE,
    means: 'Graph may have made it: its answer was lost',
  },
  throttled: {
    firstMs: 20 * SECOND,
    longestMs: 10 * MINUTE,
    means: 'Graph takes no more calls for the moment',
  },
  'sign-in': { firstMs: MINUTE, longestMs: 10 * MINUTE, means: 'no token, or Graph does not take it' },
  handshake: {
    firstMs: MINUTE,
    longestMs: 10 * MINUTE,
    means: 'Graph did not reach NOTIFICATION_URL, or LIFECYCLE_NOTIFICATION_URL',
  },
  consent: { firstMs: 5 * MINUTE, longestMs: HOUR, means: 'the app may not read this' },
  'access-policy': {
    firstMs: HOUR,
    longestMs: DAY,
    means: 'a policy of Exchange keeps the app out of this mailbox',
  },
  'no-mailbox': { firstMs: DAY, longestMs: DAY, means: 'there is no mailbox, or no licence for one' },
  'not-found': { firstMs: DAY, longestMs: DAY, means: 'what is to be watched does not exist' },
  quota: { firstMs: HOUR, longestMs: HOUR, means: 'a quota of Graph is full' },
  taken: { firstMs: HOUR, longestMs: HOUR, means: 'a subscription that is not this wish’s is in its place' },
  'no-certificate': {
    firstMs: MINUTE,
    longestMs: 10 * MINUTE,
    means: 'there is no encryption key with a certificate',
  },
  'too-long': { firstMs: MINUTE, longestMs: HOUR, means: 'Graph lets it live less long' },
  refused: { firstMs: 5 * MINUTE, longestMs: HOUR, means: 'Graph refuses the request' },
  unforeseen: { firstMs: MINUTE, longestMs: 10 * MINUTE, means: 'an error of ours' },
} as const satisfies Readonly<Record<string, Patience & { means: string }>>;

export type TroubleReason = keyof typeof TROUBLES;

export const TROUBLE_REASONS = Object.keys(TROUBLES) as readonly TroubleReason[];

/** What is kept of a wish that could not be served. */
export type Trouble = {
  readonly reason: TroubleReason;
  /** One line for people, without secrets. */
  readonly detail: string;
  /** Epoch milliseconds of the first failure in a row, whatever its reason. */
  readonly since: number;
  /** Failures in a row for this reason. */
  readonly tries: number;
  /** Epoch milliseconds before which it is not tried again. */
  readonly until: number;
  /** Fingerprint of what was wanted; absent where the wish is gone. */
  readonly of?: string;
};

/** Whose quota is full: nothing more is made for it. */
export type QuotaScope = 'mailbox' | 'tenant' | 'app' | 'resource';

export type Explained = {
  readonly reason: TroubleReason;
  readonly detail: string;
  readonly quota?: QuotaScope;
  /** The longest life that Graph named. */
  readonly lifeMinutes?: number;
  /** Graph said how long nothing more is taken. */
  readonly retryAfterMs?: number;
  /** Whether Graph may have done what it was asked for. */
  readonly maybeDone?: true;
};

/** An error of ours that names its own cause. */
export class TroubleError extends Error {
  override readonly name = 'TroubleError';
  readonly reason: TroubleReason;

  constructor(reason: TroubleReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

const LONGEST_LIFE = /expiration\b.*?\bonly be (\d{1,6}) minutes/is;
/** "Subscription validation request failed/timed out", and the code that it comes with at times. */
const HANDSHAKE = /validation request (failed|timed out)|^ValidationError\b/i;
const QUOTA =
  /\bquota\b|\bmaximum (number|of)\b|\blimit\b.*\b(reached|exceeded)\b|\b(reached|exceeded)\b.*\blimit\b/i;
const NO_MAILBOX =
  /^(MailboxNotEnabledForRESTAPI|MailboxNotSupportedForRESTAPI|MailboxNotHostedInExchangeOnline|ErrorNonExistentMailbox|ErrorInvalidMailbox|ResourceNotFoundForUser|ErrorInvalidUser)$/i;
const NOT_FOUND =
  /^(ErrorItemNotFound|ResourceNotFound|Request_ResourceNotFound|itemNotFound|NotFound|ErrorInvalidIdMalformed)$/i;

/** `error`: what a call to Graph, or what led to it, was rejected with. */
export function explainTrouble(error: unknown): Explained {
  if (error instanceof TroubleError) return { reason: error.reason, detail: error.message };
  if (!(error instanceof GraphError))
    return { reason: 'unforeseen', detail: error instanceof Error ? error.message : 'unknown error' };
  const { failure } = error;
  const { code, message } = error.said ?? { code: '', message: '' };
  const detail = inWords(error);
  switch (failure.kind) {
    case 'throttled':
      return {
        reason: 'throttled',
        detail,
        ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
      };
    case 'transient':
    case 'unusable':
      return { reason: 'graph-away', detail, maybeDone: true };
    case 'unauthorized':
      return { reason: 'sign-in', detail };
    case 'forbidden':
      return explainForbidden(code, message, detail);
    case 'notFound':
    case 'gone':
      return { reason: NO_MAILBOX.test(code) ? 'no-mailbox' : 'not-found', detail };
    case 'rejected':
      return explainRejected(code, message, detail);
  }
}

function explainForbidden(code: string, message: string, detail: string): Explained {
  if (QUOTA.test(message)) return { reason: 'quota', detail, quota: quotaScopeOf(message) };
  if (NO_MAILBOX.test(code)) return { reason: 'no-mailbox', detail };
  if (NOT_FOUND.test(code)) return { reason: 'not-found', detail };
  return { reason: /^ErrorAccessDenied$/i.test(code) ? 'access-policy' : 'consent', detail };
}

function explainRejected(code: string, message: string, detail: string): Explained {
  const life = LONGEST_LIFE.exec(message)?.[1];
  if (life !== undefined) return { reason: 'too-long', detail, lifeMinutes: Number(life) };
  if (HANDSHAKE.test(code) || HANDSHAKE.test(message)) return { reason: 'handshake', detail };
  if (NO_MAILBOX.test(code)) return { reason: 'no-mailbox', detail };
  if (NOT_FOUND.test(code)) return { reason: 'not-found', detail };
  if (QUOTA.test(message)) return { reason: 'quota', detail, quota: quotaScopeOf(message) };
  return { reason: 'refused', detail };
}

/** Graph's own words: "… per mailbox for all applications", "… per app and tenant combination", "… per organization". */
function quotaScopeOf(message: string): QuotaScope {
  if (/per (mailbox|user)\b/i.test(message)) return 'mailbox';
  if (/\bcombination\b/i.test(message) && !/tenant/i.test(message)) return 'resource';
  if (/per app for all tenants|per application for all tenants/i.test(message)) return 'app';
  return /\b(tenant|organi[sz]ation)\b/i.test(message) ? 'tenant' : 'app';
}

/** What has to be done next, and Graph's own code and words where that does not hold them. */
function inWords({ message: done, said }: GraphError): string {
  const { code = NO_CODE, message = NO_CODE } = said ?? {};
  const named = code === NO_CODE || done.includes(code) ? done : `${done} (${code})`;
  return message === '' || message === NO_CODE || named.includes(message) ? named : `${named}: ${message}`;
}

/** As `graph-error.ts` says it where Graph gave none. */
const NO_CODE = 'no code';

/** Whether Graph says that there is one already; Teams and presence hide that in an error of another name. */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof GraphError) || error.failure.kind !== 'rejected') return false;
  const { status, code, detail } = error.failure;
  return status === 409 || (/^ExtensionError$/i.test(code) && /\bconflict\b|already exists/i.test(detail));
}
