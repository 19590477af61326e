/**
 * One POST of Graph: read, verify, store, then 202. The 202 is a promise, so it is sent only after Redis has
 * confirmed every entry and job; in any doubt it is 503, and Graph sends the notifications again for up to 4 hours.
 */
import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import type { ClientStateSecrets, Logger } from '@graph2kafka/shared';
import type { RequestHandler, Response } from 'express';
import { type Accepted, acceptNotifications } from './accept-notifications.ts';
import type { StoreEntries } from './inbox-writer.ts';
import type { LoadBounds } from './load-bounds.ts';
import { readBody } from './read-body.ts';
import { type Collection, readCollection } from './read-collection.ts';
import type { ItemCounts } from './receiver-metrics.ts';
import { REFUSALS, refuse } from './refusals.ts';
import { traced, traceId, traceparentOf } from './trace-context.ts';
import { createTurns } from './turns.ts';
import { replyToHandshake } from './validation-handshake.ts';

export type NotificationRouteDeps = {
  readonly log: Logger;
  readonly clientStates: ClientStateSecrets;
  readonly store: StoreEntries;
  /** Why nothing may be accepted now. */
  readonly refusal: () => string | undefined;
  readonly now: () => number;
  /** What may be under way at once. */
  readonly bounds: LoadBounds;
  readonly maxBodyBytes: number;
  /** Told what the items of each body that was read came to. */
  readonly onItems: (counts: ItemCounts) => void;
};

/**
 * Graph counts an answer after 3 s as failed and, worse, as slow (Graph: change-notifications-delivery-webhooks); this
 * leaves it a second for the way.
 */
const DEADLINE_MS = 1900;

/** Reading so much takes some 3 ms; a larger body waits for a turn of the event loop without another such one. */
const LARGE_BODY_BYTES = 262_144;

/** To verify so many takes some 5 ms. */
const ITEMS_PER_TURN = 250;

type Turn = () => Promise<void>;

type Reading = { readonly receivedAt: number; readonly traceparent: string; readonly turn: Turn };

export function notificationRoute(deps: NotificationRouteDeps): RequestHandler {
  const turn = createTurns();
  return async (request, response) => {
    const receivedAt = deps.now();
    const { validationToken } = request.query;
    if (validationToken !== undefined) return answerHandshake(response, validationToken, deps.log);
    if (!isJson(request)) return refuse(response, 'content-type');
    const body = await readBody(request, response, deps.bounds, deps.maxBodyBytes);
    if (!body.ok) return refuse(response, body.code);
    try {
      if (body.bytes.length > LARGE_BODY_BYTES) await turn();
      const read = readCollection(body.bytes);
      if (!read.ok) return refuse(response, read.code);
      const traceparent = traceparentOf(request.headers.traceparent);
      await answerNotifications(deps, response, read.collection, { receivedAt, traceparent, turn });
    } finally {
      body.visit.leave();
    }
  };
}

/** Many items are looked at in slices, so that others are answered in between. */
async function acceptInTurns(
  items: readonly unknown[],
  secrets: ClientStateSecrets,
  receivedAt: number,
  turn: Turn,
): Promise<Accepted> {
  const first = acceptNotifications(items.slice(0, ITEMS_PER_TURN), secrets, receivedAt);
  if (items.length <= ITEMS_PER_TURN) return first;
  const entries = [...first.entries];
  let { forged, unreadable } = first;
  for (let n = ITEMS_PER_TURN; n < items.length; n += ITEMS_PER_TURN) {
    await turn();
    const more = acceptNotifications(items.slice(n, n + ITEMS_PER_TURN), secrets, receivedAt);
    entries.push(...more.entries);
    forged += more.forged;
    unreadable += more.unreadable;
  }
  return { entries, forged, unreadable };
}

async function answerNotifications(
  { log, clientStates, store, refusal, now, onItems }: NotificationRouteDeps,
  response: Response,
  { items, validationTokens }: Collection,
  { receivedAt, traceparent, turn }: Reading,
): Promise<void> {
  const { entries, forged, unreadable } = await acceptInTurns(items, clientStates, receivedAt, turn);
  const counts = { items: items.length, accepted: entries.length, forged, unreadable };
  const line = { ...counts, trace_id: traceId(traceparent) };
  onItems(counts);
  if (forged > 0) log.warn(line, 'notification.forged');
  try {
    const refused = entries.length > 0 ? refusal() : undefined;
    if (refused) throw new Error(refused);
    await withinDeadline(store(traced(entries, traceparent), validationTokens));
  } catch (error) {
    log.error({ ...line, err: error, duration_ms: now() - receivedAt }, 'notification.not-stored');
    refuse(response, 'not-stored');
    return;
  }
  response.status(202).end();
  log.info({ ...line, duration_ms: now() - receivedAt }, 'notification.stored');
}

/** `application/json`, without a charset or in UTF-8; said once, since Node would believe the first of two. */
function isJson({ headers, headersDistinct }: IncomingMessage): boolean {
  if (headersDistinct['content-type']?.length !== 1) return false;
  try {
    const { essence, params } = new MIMEType(headers['content-type'] ?? '');
    return essence === 'application/json' && /^utf-?8$/i.test(params.get('charset') ?? 'utf-8');
  } catch {
    return false;
  }
}

function answerHandshake(response: Response, validationToken: unknown, log: Logger): void {
  const reply = replyToHandshake(validationToken);
  log.info({ status: reply.ok ? 200 : REFUSALS[reply.code].status }, 'handshake.answered');
  if (reply.ok) response.status(200).type('text/plain').send(reply.token);
  else refuse(response, reply.code);
}

/** Rejects after the deadline; what was sent to Redis by then may still land, which only costs a duplicate. */
async function withinDeadline(stored: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Redis did not confirm within ${DEADLINE_MS} ms`)),
      DEADLINE_MS,
    );
  });
  try {
    await Promise.race([stored, late]);
  } finally {
    clearTimeout(timer);
  }
}
