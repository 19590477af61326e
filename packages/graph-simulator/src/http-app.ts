// The HTTP side of the simulator: ids, faults, token check, logs round the API; never listens.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import type { AccessTokens, Application } from './access-tokens.ts';
import type { ReadEntry } from './change-log.ts';
import { answersItself, faultStatus, sendFault } from './fault-answers.ts';
import type { Faults, RequestFault } from './faults.ts';
import type { RequestIds } from './graph-exchange.ts';
import {
  errorBody,
  type GraphAnswer,
  GraphError,
  type GraphRequest,
  headerText,
  type ReadMark,
} from './graph-exchange.ts';
import type { RequestLog } from './request-log.ts';

export interface HttpAppDeps {
  readonly graphApi: (request: GraphRequest) => Promise<GraphAnswer>;
  readonly tokens: AccessTokens;
  readonly tokenEndpoint: Router;
  readonly controlApi: Router;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** What a raw path below /v1.0 is about. */
  readonly describe: (path: string) => CallSubject;
  readonly onRead: (entry: ReadEntry) => void;
  readonly now: () => number;
  readonly latencyMs: number;
  /** Aborted when the simulator closes: ends waiting. */
  readonly closing: AbortSignal;
}

export interface CallSubject {
  /** "users/{id}": whose limit of simultaneous calls it counts against. */
  readonly owner: string;
  /** Canonical path of the single resource that a GET of it would read. */
  readonly resource: string | undefined;
}

const GRAPH_JSON =
  'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';
/** Graph takes bodies of up to 4 MB in most calls. */
const BODY_LIMIT = '4mb';

/** Graph repeats the caller's client-request-id, or invents one. */
export function idsOf(request: Request): RequestIds {
  const known = request.res?.locals.ids as RequestIds | undefined;
  if (known !== undefined) return known;
  const requestId = randomUUID();
  const ids = { requestId, clientRequestId: headerText(request.headers, 'client-request-id') || requestId };
  if (request.res !== undefined) request.res.locals.ids = ids;
  return ids;
}

const idHeaders = ({ requestId, clientRequestId }: RequestIds) => ({
  'request-id': requestId,
  'client-request-id': clientRequestId,
});

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function splitUrl(url: string): { path: string; query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

const REFUSALS = {
  absent: 'Access token is empty.',
  unknown: 'Access token validation failure. Invalid signature.',
  expired: 'Lifetime validation failed, the token is expired.',
};

function authenticate(tokens: AccessTokens, request: Request): Application {
  const verdict = tokens.verify(headerText(request.headers, 'authorization'));
  if (verdict.kind === 'valid') return verdict.application;
  throw new GraphError(401, 'InvalidAuthenticationToken', REFUSALS[verdict.kind]);
}

function errorAnswer(error: GraphError, ids: RequestIds, nowMs: number): GraphAnswer {
  const body = errorBody(error.code, error.message, ids, nowMs);
  const headers: Record<string, string> =
    error.status === 401 ? { 'www-authenticate': 'Bearer realm=""' } : {};
  return { status: error.status, headers, body, ...(error.read && { read: error.read }) };
}

function send(response: Response, answer: GraphAnswer, ids: RequestIds): void {
  if (answer.body === undefined) {
    response.writeHead(answer.status, { ...idHeaders(ids), ...answer.headers }).end();
    return;
  }
  const text = JSON.stringify(answer.body);
  const content = { 'content-type': GRAPH_JSON, 'content-length': Buffer.byteLength(text) };
  response.writeHead(answer.status, { ...content, ...idHeaders(ids), ...answer.headers }).end(text);
}

/** One call under /v1.0 with what is known of it before it is handled. */
interface Call {
  readonly request: Request;
  readonly response: Response;
  readonly ids: RequestIds;
  readonly path: string;
  readonly query: string;
  readonly subject: CallSubject;
  readonly end: (status: number) => void;
}

function beginCall(deps: HttpAppDeps, request: Request, response: Response): Call {
  const { path, query } = splitUrl(request.url);
  const subject = deps.describe(path);
  const shown = `/v1.0${decoded(path)}${query === '' ? '' : `?${query}`}`;
  const end = deps.log.begin({ method: request.method, path: shown, owner: subject.owner, at: deps.now() });
  response.on('close', () => end(0));
  return { request, response, ids: idsOf(request), path, query, subject, end };
}

function noteRead(deps: HttpAppDeps, { request, subject }: Call, status: number, mark?: ReadMark): void {
  if (request.method !== 'GET' || subject.resource === undefined) return;
  const answeredAt = deps.now();
  const read = mark ?? { resource: subject.resource, version: null, at: answeredAt };
  deps.onRead({
    kind: 'read',
    at: read.at,
    answeredAt,
    resource: read.resource,
    version: read.version,
    status,
  });
}

async function answerGraph(deps: HttpAppDeps, call: Call): Promise<GraphAnswer> {
  const { request } = call;
  try {
    return await deps.graphApi({
      method: request.method,
      path: call.path,
      query: new URLSearchParams(call.query),
      headers: request.headers,
      // body-parser makes an object of nothing, which Graph would not.
      body: request.headers['content-length'] === '0' ? undefined : request.body,
      origin: `https://${request.headers.host}`,
      application: authenticate(deps.tokens, request),
    });
  } catch (cause) {
    if (cause instanceof GraphError) return errorAnswer(cause, call.ids, deps.now());
    throw cause;
  }
}

function answerFault(deps: HttpAppDeps, call: Call, fault: RequestFault): void {
  const staysOpen = fault.kind === 'hang' || fault.kind === 'endless';
  const status = faultStatus(fault);
  if (!staysOpen) call.end(status);
  sendFault(call.response, fault, { ids: call.ids, nowMs: deps.now(), idHeaders: idHeaders(call.ids) });
  noteRead(deps, call, status);
}

async function wait(deps: HttpAppDeps, ms: number | undefined): Promise<void> {
  if (ms !== undefined && ms > 0) await pause(ms, undefined, { signal: deps.closing });
}

async function handleGraph(deps: HttpAppDeps, request: Request, response: Response): Promise<void> {
  const call = beginCall(deps, request, response);
  const fault = deps.faults.takeForRequest({ method: request.method, path: `/v1.0${decoded(call.path)}` });
  await wait(deps, fault?.delayMs);
  if (fault !== undefined && answersItself(fault)) return answerFault(deps, call, fault);
  await wait(deps, deps.latencyMs / 2);
  const answer = await answerGraph(deps, call);
  await wait(deps, deps.latencyMs / 2);
  call.end(answer.status);
  send(response, answer, call.ids);
  noteRead(deps, call, answer.status, answer.read);
}

/** Log and faults of the login authority; true if a fault has answered. */
async function handleLoginFault(deps: HttpAppDeps, request: Request, response: Response): Promise<boolean> {
  const path = decoded(request.url);
  const end = deps.log.begin({ method: request.method, path, owner: undefined, at: deps.now() });
  response.on('close', () => end(response.writableFinished ? response.statusCode : 0));
  const fault = deps.faults.takeForRequest({ method: request.method, path: decoded(request.path) });
  await wait(deps, fault?.delayMs);
  if (fault === undefined || !answersItself(fault)) return false;
  const ids = idsOf(request);
  sendFault(response, fault, { ids, nowMs: deps.now(), idHeaders: idHeaders(ids) });
  return true;
}

/** What body-parser and Express put on their errors. */
interface HttpError {
  readonly status?: number;
  readonly type?: string;
}

function handleError(deps: HttpAppDeps, error: unknown, request: Request, response: Response): void {
  if (deps.closing.aborted || response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status = 500, type } = error as HttpError;
  const text =
    type === 'entity.parse.failed'
      ? 'Unable to read JSON request payload.'
      : String((error as Error).message);
  const code = status >= 500 ? 'InternalServerError' : 'BadRequest';
  const ids = idsOf(request);
  send(response, { status, body: errorBody(code, text, ids, deps.now()) }, ids);
}

export function createHttpApp(deps: HttpAppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use('/simulator', deps.controlApi);
  app.use('/v1.0', express.json({ limit: BODY_LIMIT, strict: false }), (request, response) =>
    handleGraph(deps, request, response),
  );
  app.use(async (request, response, next) => {
    response.set(idHeaders(idsOf(request)));
    if (!(await handleLoginFault(deps, request, response))) next();
  });
  app.use(deps.tokenEndpoint);
  app.use((request, response) => {
    const ids = idsOf(request);
    send(response, { status: 404, body: errorBody('BadRequest', 'Nothing is here.', ids, deps.now()) }, ids);
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    handleError(deps, error, request, response),
  );
  return app;
}
