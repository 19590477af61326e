// What a fault that throttles does to a call: 429 of the whole app, of the app in a tenant, or of one mailbox.
import type { Faults, ThrottleFault } from './faults.ts';
import { GraphError } from './graph-exchange.ts';
import { mailboxOf } from './request-limits.ts';
import type { ResourcePath } from './resource-path.ts';

/** A call under /v1.0; a batch is one too, and so is each of its parts. */
export interface ThrottledCall {
  readonly method: string;
  /** Resolved; undefined where the text is no path. */
  readonly path: ResourcePath | undefined;
  readonly application: { readonly clientId: string; readonly tenantId: string };
}

export interface ThrottleFaultsDeps {
  readonly faults: Faults;
  readonly retryAfter: (waitMs: number) => Readonly<Record<string, string>>;
}

/** What is told where the rule has no end of its own; Graph documents no number. */
const WAIT_MS = 10_000;

/** Graph page "Throttling limits": scope, limit, and whose it is. */
function scopeHeaders(
  { scope }: ThrottleFault,
  { application: { clientId, tenantId } }: ThrottledCall,
): Readonly<Record<string, string>> {
  if (scope === 'mailbox') return {};
  const whose = scope === 'tenant' ? `Tenant_Application/ReadWrite/${clientId}/${tenantId}` : undefined;
  return {
    'x-ms-throttle-limit-percentage': '1.0',
    'x-ms-throttle-scope': whose ?? `Application/ReadWrite/${clientId}`,
    'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
  };
}

function refusal(fault: ThrottleFault, headers: Readonly<Record<string, string>>): GraphError {
  const isConcurrency = fault.scope === 'mailbox' && fault.limit !== 'requests';
  const text = isConcurrency
    ? 'Application is over its MailboxConcurrency limit.'
    : 'Please retry again later.';
  const code = isConcurrency ? 'ApplicationThrottled' : 'TooManyRequests';
  return new GraphError(429, code, text, undefined, headers);
}

/** The refusal of a call that such a fault concerns; undefined for the others. */
export function throttledCall(
  { faults, retryAfter }: ThrottleFaultsDeps,
  call: ThrottledCall,
): GraphError | undefined {
  const { method, path, application } = call;
  const mailbox = path === undefined ? undefined : mailboxOf(path);
  const subject = `${method} ${path?.key ?? ''}`;
  const taken = faults.takeForThrottle({ ...application, mailbox, subject });
  if (taken === undefined) return undefined;
  const { fault, leftMs } = taken;
  const waitMs = fault.retryAfterMs ?? (Number.isFinite(leftMs) ? leftMs : WAIT_MS);
  return refusal(fault, { ...scopeHeaders(fault, call), ...retryAfter(waitMs) });
}
