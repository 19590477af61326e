// One call of the Graph API and its answer as plain values, apart from HTTP, so that several can come in one request.
import type { Application } from './access-tokens.ts';
import type { ExpiredTokenForm } from './delta-settings.ts';

export type JsonObject = Record<string, unknown>;

/** A call after authentication: `path` is raw (still percent-encoded), begins with '/', and has no '/v1.0'. */
export interface GraphRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  /** Where the caller reached us, e.g. "https://127.0.0.1:4443": the start of every nextLink. */
  readonly origin: string;
  readonly application: Application;
  /** When the caller's token ends, epoch milliseconds: a subscription is authorized until then. */
  readonly authorizedUntilMs: number;
  /** A fault has let the token of this delta query expire, and says how that is answered. */
  readonly expiredToken?: ExpiredTokenForm | 'as set';
}

/** Which state a GET of a single resource has read, for the change log. `version` is null where there is none. */
export interface ReadMark {
  readonly resource: string;
  readonly version: number | null;
  readonly at: number;
}

export interface GraphAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** In place of a body: plain text, as $count answers. */
  readonly text?: string;
  readonly read?: ReadMark;
}

/** What a handler throws to answer with Graph's error shape (Graph page "Microsoft Graph error responses"). */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly status: number;
  readonly code: string;
  readonly read: ReadMark | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    text: string,
    read?: ReadMark,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(text);
    this.status = status;
    this.code = code;
    this.read = read;
    this.headers = headers;
  }
}

/** Ids that Graph puts into the headers of every answer and into the body of every error. */
export interface RequestIds {
  readonly requestId: string;
  readonly clientRequestId: string;
}

/** `{"error":{"code","message","innerError":{"date","request-id","client-request-id"}}}` */
export function errorBody(code: string, text: string, ids: RequestIds, nowMs: number): JsonObject {
  const date = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const innerError = { date, 'request-id': ids.requestId, 'client-request-id': ids.clientRequestId };
  return { error: { code, message: text, innerError } };
}

export function headerText(headers: GraphRequest['headers'], name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/** The body as a JSON object; everything else is refused, as Graph does for an empty POST. */
export function objectBody(request: GraphRequest): JsonObject {
  const { body } = request;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as JsonObject;
  throw new GraphError(400, 'BadRequest', 'Empty Payload. JSON content expected.');
}
