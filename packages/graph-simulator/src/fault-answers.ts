// Sends the wrong answers that a fault asks for.
import type { ServerResponse } from 'node:http';
import type { AnswerKind, FaultKind, RequestFault } from './faults.ts';
import { errorBody, type JsonObject, type RequestIds } from './graph-exchange.ts';
import { type AnswerHead, sendBomb, sendEndless, sendSlowly } from './unending-answers.ts';

/** Codes that Graph's pages give to a status (Graph page "Microsoft Graph error responses"). */
const CODES: Readonly<Record<number, [code: string, text: string]>> = {
  400: ['BadRequest', 'The request is malformed or incorrect.'],
  401: ['InvalidAuthenticationToken', 'Access token validation failure.'],
  403: ['ErrorAccessDenied', 'Access is denied. Check credentials and try again.'],
  404: ['ErrorItemNotFound', 'The specified object was not found in the store.'],
  410: ['syncStateNotFound', 'The sync state is not found.'],
  429: ['ApplicationThrottled', 'Application is over its MailboxConcurrency limit.'],
  500: ['InternalServerError', 'There was an internal server error while processing the request.'],
  502: ['BadGateway', 'The upstream service has failed.'],
  503: ['serviceNotAvailable', 'The service is temporarily unavailable.'],
  504: ['GatewayTimeout', 'The upstream service has not answered in time.'],
};

export interface FaultContext {
  readonly ids: RequestIds;
  readonly nowMs: number;
  readonly idHeaders: Readonly<Record<string, string>>;
}

type Sender = (response: ServerResponse, fault: RequestFault, context: FaultContext) => void;

/** Graph's error body with the code that goes with a status. */
export function statusError(status: number, ids: RequestIds, nowMs: number): JsonObject {
  const [code, text] = CODES[status] ?? ['generalException', 'An unspecified error has occurred.'];
  return errorBody(code, text, ids, nowMs);
}

const JSON_TYPE = { 'content-type': 'application/json' };
function sendStatus(
  response: ServerResponse,
  fault: RequestFault,
  context: FaultContext,
  status: number,
): void {
  const body = fault.body ?? (status >= 400 ? statusError(status, context.ids, context.nowMs) : '');
  response.writeHead(status, { ...JSON_TYPE, ...context.idHeaders, ...fault.headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function headOf(fault: RequestFault, context: FaultContext): AnswerHead {
  return {
    status: fault.status ?? 200,
    headers: { ...JSON_TYPE, ...context.idHeaders, ...fault.headers },
  };
}

const SENDERS: Readonly<Record<AnswerKind, Sender>> = {
  // A TLS socket cannot send a reset; its client sees a connection that ends without an answer.
  reset: (response) => response.socket?.destroy(),
  // Answered by nobody: the peer's deadline or the close of the server ends it.
  hang: () => undefined,
  garbage: (response, fault, context) => {
    response.writeHead(fault.status ?? 200, { ...JSON_TYPE, ...context.idHeaders, ...fault.headers });
    response.end('{"@odata.context": "https://');
  },
  html: (response, fault, context) => {
    const headers = { 'content-type': 'text/html', ...context.idHeaders, ...fault.headers };
    response.writeHead(fault.status ?? 502, headers);
    response.end(
      '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>',
    );
  },
  truncated: (response, fault, context) => {
    const headers = { ...JSON_TYPE, 'content-length': '4096', ...context.idHeaders, ...fault.headers };
    response.writeHead(fault.status ?? 200, headers);
    response.write('{"@odata.context":', () => response.destroy());
  },
  endless: (response, fault, context) => sendEndless(response, headOf(fault, context)),
  'slow-loris': (response, fault, context) => sendSlowly(response, headOf(fault, context)),
  'gzip-bomb': (response, fault, context) => {
    sendBomb(response, headOf(fault, context)).catch(() => response.destroy());
  },
  redirect: (response, fault, context) => {
    const location = { location: 'https://127.0.0.1:9/elsewhere' };
    response.writeHead(fault.status ?? 302, { ...location, ...context.idHeaders, ...fault.headers });
    response.end();
  },
  early404: (response, fault, context) => sendStatus(response, fault, context, 404),
};

/** True if the fault has an answer of its own; one that delays, or lets a token expire, leaves it to the real handler. */
export function answersItself(fault: RequestFault): boolean {
  if (fault.kind === 'expired-token') return false;
  return fault.kind !== undefined || fault.status !== undefined || fault.body !== undefined;
}

/** True if the answer does not end by itself soon: the call counts as under way until the caller leaves it. */
export function staysOpen({ kind }: RequestFault): boolean {
  return kind === 'hang' || kind === 'endless' || kind === 'slow-loris';
}

/** The status that the change log shows for a faulty answer; 0 where none is sent. */
export function faultStatus(fault: RequestFault): number {
  const byKind: Partial<Record<FaultKind, number>> = {
    reset: 0,
    hang: 0,
    html: 502,
    redirect: 302,
    early404: 404,
  };
  return fault.status ?? (fault.kind === undefined ? 200 : (byKind[fault.kind] ?? 200));
}

export function sendFault(response: ServerResponse, fault: RequestFault, context: FaultContext): void {
  if (fault.kind === undefined || fault.kind === 'expired-token')
    sendStatus(response, fault, context, fault.status ?? 200);
  else SENDERS[fault.kind](response, fault, context);
}
