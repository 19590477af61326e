/**
 * Requests to Graph through its JavaScript client, with a middleware chain of our own.
 *
 * The client's chain would sleep through a Retry-After while a run is held, follow redirects, and call hosts that an
 * answer names. Ours signs in, refuses any other origin than the configured one, never follows a redirect, and ends
 * each request after a deadline and a size.
 */
import { once } from 'node:events';
import {
  Client,
  type Context,
  GraphClientError,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import type { AccessTokens } from './access-tokens.ts';
import { errorOf, failureOfAnswer, GraphError } from './graph-error.ts';
import { GRAPH_VERSION } from './graph-url.ts';
import { PinnedTransport } from './pinned-transport.ts';

export type GraphRequest = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the version: `/users/{id}/events/{id}`, its ids percent-encoded. */
  readonly path: string;
  /** Values percent-encoded. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** For all of it, the token and another try with a fresh one included; without it each of these has its own time. */
  readonly withinMs?: number;
};

export type GraphAnswer = {
  readonly status: number;
  /** The JSON body; `undefined` where there is none (204). */
  readonly body: unknown;
  /** Epoch milliseconds just before the request was sent: what it shows is no older than this. */
  readonly readAt: number;
};

export type GraphClient = {
  /** The answer of a 2xx; anything else rejects with a `GraphError`. */
  request(request: GraphRequest): Promise<GraphAnswer>;
  close(): Promise<void>;
};

/** "batch": one that stands for several fetches. */
export type RequestForm = 'single' | 'batch';

export type GraphRequests = Pick<GraphClient, 'request'>;

export type GraphClientOptions = {
  /** Origin of Graph, `https://graph.microsoft.com`. */
  readonly url: string;
  readonly tokens: AccessTokens;
  /** For the whole request, body included. */
  readonly timeoutMs?: number;
  readonly maxAnswerBytes?: number;
  /** Each time that one is begun. */
  readonly onRequest?: (form: RequestForm) => void;
  /** Told of the `Date` of each answer, and when it was asked for and had, by `performance.now()`. */
  readonly onDate?: (date: string | null, askedAt: number, answeredAt: number) => void;
};

export const BATCH_PATH = '/$batch';
/** Graph answers a single item within a second; a run must not be held by what does not end. */
const TIMEOUT_MS = 10_000;
/** An event with its body stays well below; Graph's own limit for a request is 4 MB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export function createGraphClient(options: GraphClientOptions): GraphClient {
  const origin = new URL(options.url).origin;
  const transport = new PinnedTransport(origin, {
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    maxAnswerBytes: options.maxAnswerBytes ?? MAX_ANSWER_BYTES,
  });
  const client = Client.initWithMiddleware({
    baseUrl: `${origin}/`,
    defaultVersion: GRAPH_VERSION,
    middleware: new KeptErrors(new BearerToken(options.tokens, transport)),
  });
  return {
    request(request) {
      options.onRequest?.(request.path === BATCH_PATH ? 'batch' : 'single');
      return send(client, request, options.onDate);
    },
    close: () => transport.close(),
  };
}

async function send(
  client: Client,
  { method, path, query, headers, body, withinMs }: GraphRequest,
  onDate: GraphClientOptions['onDate'],
): Promise<GraphAnswer> {
  const request = client.api(path).responseType(ResponseType.RAW);
  if (query) request.query({ ...query });
  if (headers) request.headers({ ...headers });
  if (withinMs !== undefined) request.option('signal', AbortSignal.timeout(withinMs));
  const readAt = Date.now();
  const askedAt = performance.now();
  const response = await perform(request, method, body);
  onDate?.(response.headers.get('date'), askedAt, performance.now());
  const json = await readJson(response);
  if (response.status >= 200 && response.status < 300) {
    if (json === NOT_JSON) throw new GraphError({ kind: 'unusable', detail: 'the answer is not JSON' });
    return { status: response.status, body: json, readAt };
  }
  const header = (name: string) => response.headers.get(name);
  throw new GraphError(failureOfAnswer(response.status, header, json, Date.now()), { said: errorOf(json) });
}

type ClientRequest = ReturnType<Client['api']>;

async function perform(
  request: ClientRequest,
  method: GraphRequest['method'],
  body: unknown,
): Promise<Response> {
  try {
    if (method === 'GET') return await request.get();
    if (method === 'DELETE') return await request.delete();
    return await (method === 'POST' ? request.post(body) : request.patch(body));
  } catch (error) {
    if (error instanceof GraphClientError && error.customError instanceof GraphError) throw error.customError;
    throw new GraphError({ kind: 'transient', detail: 'the request failed' }, { cause: error });
  }
}

/**
 * The first of the chain. The client makes an error of its own from whatever its chain throws, of which only the text
 * is left; the one kind that it lets through carries ours.
 */
class KeptErrors implements Middleware {
  private readonly next: Middleware;

  constructor(next: Middleware) {
    this.next = next;
  }

  async execute(context: Context): Promise<void> {
    try {
      await this.next.execute(context);
    } catch (error) {
      const carrier = new GraphClientError('the chain failed');
      carrier.customError = error;
      throw carrier;
    }
  }
}

const NOT_JSON = Symbol('not JSON');

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return response.status === 204 || response.status === 202 ? undefined : NOT_JSON;
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

/** Puts the token on the request; once more with a fresh one where Graph refuses it. */
class BearerToken implements Middleware {
  private readonly tokens: AccessTokens;
  private readonly next: Middleware;

  constructor(tokens: AccessTokens, next: Middleware) {
    this.tokens = tokens;
    this.next = next;
  }

  async execute(context: Context): Promise<void> {
    const { signal } = context.options ?? {};
    const token = await within(signal, this.tokens.current());
    await this.executeWith(context, token);
    if (context.response?.status !== 401) return;
    const fresh = await within(signal, this.tokens.afterRefusal(token));
    if (fresh !== token) await this.executeWith(context, fresh);
  }

  private async executeWith(context: Context, token: string): Promise<void> {
    const headers = {
      ...(context.options?.headers as Record<string, string>),
      Authorization: `Bearer ${token}`,
    };
    context.options = { ...context.options, headers };
    await this.next.execute(context);
  }
}

/** Nothing is sent after the signal: what Graph is asked for later may be another one's to ask by then. */
async function within(signal: AbortSignal | null | undefined, asking: Promise<string>): Promise<string> {
  if (!signal) return asking;
  const ended = signal.aborted ? undefined : once(signal, 'abort').then(() => undefined);
  const token = await Promise.race([ended, asking]);
  if (token === undefined || signal.aborted)
    throw new GraphError({ kind: 'unauthorized', detail: 'no token: no answer in time' });
  return token;
}
