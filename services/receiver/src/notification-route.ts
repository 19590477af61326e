/**
 * One POST of Graph: read, verify, store, then 202. The 202 is a promise, so it is sent only after Redis has
 * confirmed every entry and job; in any doubt it is 503, and Graph sends the notifications again for up to 4 hours.
 */
import { MIMEType } from 'node:util';
import type { ClientStateSecrets, Logger } from '@graph2kafka/shared';
import type { RequestHandler, Response } from 'express';
import { acceptNotifications } from './accept-notifications.ts';
import type { StoreEntries } from './inbox-writer.ts';
import { readCollection } from './read-collection.ts';
import { replyToHandshake } from './validation-handshake.ts';

export type NotificationRouteDeps = {
  readonly log: Logger;
  readonly clientStates: ClientStateSecrets;
  readonly store: StoreEntries;
  /** Why nothing may be accepted now. */
  readonly refusal: () => string | undefined;
  readonly now: () => number;
};

/** Graph counts an answer after 3 s as failed and, worse, as slow; this leaves it a second for the way. */
const DEADLINE_MS = 1900;
const RETRY_AFTER_SECONDS = '10';

export function notificationRoute(deps: NotificationRouteDeps): RequestHandler {
  return async (request, response) => {
    const receivedAt = deps.now();
    const { validationToken } = request.query;
    if (validationToken !== undefined) return answerHandshake(response, validationToken, deps.log);
    if (!isJson(request.headers['content-type'])) {
      response.status(415).json({ error: 'the content type must be application/json in UTF-8' });
      return;
    }
    const read = readCollection(request.body);
    if (!read.ok) {
      response.status(read.status).json({ error: read.reason });
      return;
    }
    await answerNotifications(deps, response, read.collection.items, receivedAt);
  };
}

async function answerNotifications(
  { log, clientStates, store, refusal, now }: NotificationRouteDeps,
  response: Response,
  items: readonly unknown[],
  receivedAt: number,
): Promise<void> {
  const { entries, forged, unreadable } = acceptNotifications(items, clientStates, receivedAt);
  const counts = { items: items.length, accepted: entries.length, forged, unreadable };
  if (forged > 0) log.warn(counts, 'notification.forged');
  try {
    const refused = entries.length > 0 ? refusal() : undefined;
    if (refused) throw new Error(refused);
    await withinDeadline(store(entries));
  } catch (error) {
    log.error({ ...counts, err: error, duration_ms: now() - receivedAt }, 'notification.not-stored');
    response.status(503).set('Retry-After', RETRY_AFTER_SECONDS).json({ error: 'not stored' });
    return;
  }
  response.status(202).end();
  log.info({ ...counts, duration_ms: now() - receivedAt }, 'notification.stored');
}

/** `application/json`, without a charset or in UTF-8. */
function isJson(contentType: string | undefined): boolean {
  try {
    const { essence, params } = new MIMEType(contentType ?? '');
    return essence === 'application/json' && /^utf-?8$/i.test(params.get('charset') ?? 'utf-8');
  } catch {
    return false;
  }
}

function answerHandshake(response: Response, validationToken: unknown, log: Logger): void {
  const reply = replyToHandshake(validationToken);
  log.info({ status: reply.status }, 'handshake.answered');
  if (reply.status === 200) response.status(200).type('text/plain').send(reply.token);
  else response.status(400).json({ error: reply.reason });
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
