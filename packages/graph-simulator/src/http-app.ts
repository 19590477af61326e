// The HTTP side of the simulator: ids, faults, token check, logs round the API; never listens.
import { randomUUID } from 'node:crypto';
import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { answersItself, faultStatus, sendFault, staysOpen } from './fault-answers.ts';
import { decoded, GraphCall, type GraphCallsDeps } from './graph-calls.ts';
import { errorBody, type GraphAnswer, headerText, type RequestIds } from './graph-exchange.ts';

export interface HttpAppDeps extends GraphCallsDeps {
  readonly tokenEndpoint: Router;
  readonly controlApi: Router;
  /** What Graph takes for now, which a fault can make differ. */
  readonly graphNow: () => number;
  /** The name of the login authority, in lower case, if it has one of its own. */
  readonly loginHost: string | undefined;
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

function send(response: Response, answer: GraphAnswer, ids: RequestIds): void {
  if (answer.body === undefined && answer.text === undefined) {
    response.writeHead(answer.status, { ...idHeaders(ids), ...answer.headers }).end();
    return;
  }
  const text = answer.text ?? JSON.stringify(answer.body);
  const type = answer.text === undefined ? GRAPH_JSON : 'text/plain';
  const content = { 'content-type': type, 'content-length': Buffer.byteLength(text) };
  response.writeHead(answer.status, { ...content, ...idHeaders(ids), ...answer.headers }).end(text);
}

async function wait(deps: HttpAppDeps, ms: number | undefined): Promise<void> {
  if (ms !== undefined && ms > 0) await deps.clock.pause(ms, deps.closing);
}

async function handleGraph(deps: HttpAppDeps, request: Request, response: Response): Promise<void> {
  const ids = idsOf(request);
  const { method, url, headers } = request;
  // body-parser makes an object of nothing, which Graph would not.
  const body = headers['content-length'] === '0' ? undefined : request.body;
  const call = new GraphCall(deps, { method, url, headers, body, origin: `https://${headers.host}`, ids });
  response.on('close', () => call.end(0));
  const outcome = await call.run();
  if ('fault' in outcome) {
    const { fault } = outcome;
    const status = faultStatus(fault);
    if (!staysOpen(fault)) call.end(status);
    sendFault(response, fault, { ids, nowMs: deps.now(), idHeaders: idHeaders(ids) });
    call.noteRead(status);
    return;
  }
  const { answer } = outcome;
  call.end(answer.status);
  send(response, answer, ids);
  call.noteRead(answer.status, answer.read);
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

/** Graph and the login authority each answer under names of their own. */
function refuseForeignHost(deps: HttpAppDeps, loginHost: string): RequestHandler {
  return (request, response, next) => {
    const isLogin = request.hostname.toLowerCase() === loginHost;
    const isGraph = /^\/v1\.0(\/|$)/i.test(request.path);
    if (isLogin !== isGraph) next();
    else sendNothing(deps, request, response);
  };
}

function sendNothing(deps: HttpAppDeps, request: Request, response: Response): void {
  const ids = idsOf(request);
  send(response, { status: 404, body: errorBody('BadRequest', 'Nothing is here.', ids, deps.now()) }, ids);
}

export function createHttpApp(deps: HttpAppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.setHeader('date', new Date(deps.graphNow()).toUTCString());
    next();
  });
  app.use('/simulator', deps.controlApi);
  if (deps.loginHost !== undefined) app.use(refuseForeignHost(deps, deps.loginHost));
  app.use('/v1.0', express.json({ limit: BODY_LIMIT, strict: false }), (request, response) =>
    handleGraph(deps, request, response),
  );
  app.use(async (request, response, next) => {
    response.set(idHeaders(idsOf(request)));
    if (!(await handleLoginFault(deps, request, response))) next();
  });
  app.use(deps.tokenEndpoint);
  app.use((request, response) => sendNothing(deps, request, response));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    handleError(deps, error, request, response),
  );
  return app;
}
