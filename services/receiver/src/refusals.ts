/**
 * Every answer that is a refusal: a code for programs, its status, and a sentence for people. The codes are a
 * contract: docs/operations.md lists them, and what reads them may rely on them.
 */
import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';

/** Notifications nest three levels deep; a parser survives 40,000, what comes after it may not. */
export const DEEPEST = 32;

/** Five times the largest POST that Graph is known to send. */
export const MOST_ITEMS = 5000;

/** Twice what so many notifications hold; two million small ones would fit into 5 MB, and take 1 s. */
export const MOST_VALUES = 100_000;

/** Graph's token is a sentence of about 100 characters. */
export const LONGEST_TOKEN = 2048;

type Refusal = { readonly status: 400 | 403 | 404 | 405 | 413 | 415 | 503; readonly error: string };

const refusals = {
  'token-repeated': { status: 400, error: 'validationToken is given more than once' },
  'token-empty': { status: 400, error: 'validationToken is empty' },
  'token-too-long': { status: 400, error: `validationToken is longer than ${LONGEST_TOKEN} characters` },
  'token-not-text': { status: 400, error: 'validationToken holds control characters' },
  'body-empty': { status: 400, error: 'the body is empty' },
  'body-cut-off': { status: 400, error: 'the body ended before its end' },
  'body-not-inflatable': { status: 400, error: 'the body is not compressed as Content-Encoding says' },
  'not-utf8': { status: 400, error: 'the body is not UTF-8' },
  'not-json': { status: 400, error: 'the body is not JSON' },
  'too-deep': { status: 400, error: `the body nests deeper than ${DEEPEST} levels` },
  'repeated-property': { status: 400, error: 'an object of the body has a property twice' },
  'no-collection': { status: 400, error: 'the body holds no array "value" of notifications' },
  'bad-request': { status: 400, error: 'the request is not understood' },
  'source-network': { status: 403, error: 'not from this network' },
  'no-such-path': { status: 404, error: 'no such path' },
  'only-post': { status: 405, error: 'only POST' },
  'body-too-large': { status: 413, error: 'the body is larger than MAX_BODY_BYTES' },
  'too-many-values': { status: 413, error: `the body holds more than ${MOST_VALUES} values` },
  'too-many-items': { status: 413, error: `the body holds more than ${MOST_ITEMS} items` },
  'content-type': { status: 415, error: 'the content type must be application/json in UTF-8' },
  'content-encoding': { status: 415, error: 'the content encoding must be gzip, deflate or br' },
  busy: { status: 503, error: 'too much is under way' },
  'not-stored': { status: 503, error: 'not stored' },
} as const satisfies Readonly<Record<string, Refusal>>;

export type RefusalCode = keyof typeof refusals;

export const REFUSALS: Readonly<Record<RefusalCode, Refusal>> = refusals;

const RETRY_AFTER_SECONDS = '10';

/** What is still to come of a body this small is read, so that the connection can be used again. */
const SMALL_REST_BYTES = 65_536;

/** How long a larger rest is read and thrown away: a client that still writes sees no answer on a reset connection. */
const LINGER_MS = 500;

/** Answers with the refusal as JSON; a connection on which much more of the body may come is closed after it. */
export function refuse(response: Response, code: RefusalCode): void {
  const { status, error } = REFUSALS[code];
  response.status(status);
  response.locals.refusal = code;
  if (status === 503) response.set('Retry-After', RETRY_AFTER_SECONDS);
  if (status === 405) response.set('Allow', 'POST');
  if (!hasLargeRest(response.req)) {
    response.json({ code, error });
    return;
  }
  const text = JSON.stringify({ code, error });
  response.set({ Connection: 'close', 'Content-Length': String(Buffer.byteLength(text)) });
  response.type('json').write(text);
  endAfterRest(response);
}

function hasLargeRest(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers;
  return transfer !== undefined || Number(length ?? 0) > SMALL_REST_BYTES;
}

/** The client has the whole answer by its length; ending it would close the connection under what it still sends. */
function endAfterRest(response: Response): void {
  const request = response.req;
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end).once('close', end).resume();
}
