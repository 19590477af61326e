/**
 * One trace for each POST, so that the lines of both services and the records of its notifications can be found
 * together: the trace that a platform's front has begun (W3C Trace Context, `traceparent`), or a new one.
 */
import { randomBytes } from 'node:crypto';
import type { InboxEntry } from '@graph2kafka/shared';

/** Version 00; all zeros stand for "none" (W3C Trace Context, §3.2.2). */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A header that is not well-formed is ignored, as the standard asks for; nobody samples a new trace. */
export function traceparentOf(header: string | string[] | undefined): string {
  if (typeof header === 'string' && TRACEPARENT.test(header)) return header;
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
}

/** The second part, which logs are searched by. */
export function traceId(traceparent: string): string {
  return traceparent.split('-', 2)[1] ?? '';
}

export function traced(entries: readonly InboxEntry[], traceparent: string): InboxEntry[] {
  return entries.map((entry) =>
    entry.news.kind === 'change' ? { ...entry, news: { ...entry.news, traceparent } } : entry,
  );
}
