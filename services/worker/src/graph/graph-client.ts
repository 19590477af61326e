/**
 * Requests to Graph through its JavaScript client, with a middleware chain of our own.
 *
 * The client's chain would sleep through a Retry-After while a run is held, follow redirects, and call hosts that an
 * answer names. Ours signs in, refuses any other origin than the configured one, never follows a redirect, and ends
 * each request after a deadline and a size.
 */
import {
  Client,
  type Context,
  GraphClientError,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import { Agent, fetch } from 'undici';
import type { AccessTokens } from './access-tokens.ts';
import { failureOfStatus, GraphError, parseRetryAfter } from './graph-error.ts';

export type GraphRequest = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the version: `/users/{id}/events/{id}`, its ids percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
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

export type GraphClientOptions = {
  /** Origin of Graph, `https://graph.microsoft.com`. */
  readonly url: string;
  readonly tokens: AccessTokens;
  /** For the whole request, body included. */
  readonly timeoutMs?: number;
  readonly maxAnswerBytes?: number;
};

/** Graph answers a single item within a second; a run must not be held by what does not end. */
const TIMEOUT_MS = 10_000;
/** An event with its body stays well below; Graph's own limit for a request is 4 MB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const VERSION = 'v1.0';

export function createGraphClient(options: GraphClientOptions): GraphClient {
  const origin = new URL(options.url).origin;
  const agent = new Agent({ connections: 64, pipelining: 1, connect: { timeout: 5000 } });
  const transport = new PinnedTransport(origin, agent, {
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    maxAnswerBytes: options.maxAnswerBytes ?? MAX_ANSWER_BYTES,
  });
  const client = Client.initWithMiddleware({
    baseUrl: `${origin}/`,
    defaultVersion: VERSION,
    middleware: new KeptErrors(new BearerToken(options.tokens, transport)),
  });
  let closing: Promise<void> | undefined;
  return {
    request: (request) => send(client, request),
    close() {
      closing ??= agent.close();
      return closing;
    },
  };
}

async function send(
  client: Client,
  { method, path, query, headers, body }: GraphRequest,
): Promise<GraphAnswer> {
  const request = client.api(path).responseType(ResponseType.RAW);
  if (query) request.query({ ...query });
  if (headers) request.headers({ ...headers });
  const readAt = Date.now();
  const response = await perform(request, method, body);
  const json = await readJson(response);
  if (response.status >= 200 && response.status < 300) {
    if (json === NOT_JSON) throw new GraphError({ kind: 'unusable', detail: 'the answer is not JSON' });
    return { status: response.status, body: json, readAt };
  }
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), Date.now());
  throw new GraphError(failureOfStatus(response.status, retryAfterMs, json));
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
    const token = await this.tokens.current();
    await this.executeWith(context, token);
    if (context.response?.status !== 401) return;
    const fresh = await this.tokens.afterRefusal(token);
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

type TransportLimits = { readonly timeoutMs: number; readonly maxAnswerBytes: number };

/** The last of the chain: sends over one pool, to one origin. */
class PinnedTransport implements Middleware {
  private readonly origin: string;
  private readonly agent: Agent;
  private readonly limits: TransportLimits;

  constructor(origin: string, agent: Agent, limits: TransportLimits) {
    this.origin = origin;
    this.agent = agent;
    this.limits = limits;
  }

  async execute(context: Context): Promise<void> {
    const url = new URL(typeof context.request === 'string' ? context.request : context.request.url);
    if (url.origin !== this.origin || !url.pathname.startsWith(`/${VERSION}/`)) {
      throw new GraphError({
        kind: 'rejected',
        status: 0,
        code: 'foreignUrl',
        detail: 'not a URL of the configured Graph',
      });
    }
    const { method, headers, body } = context.options ?? {};
    try {
      const answer = await fetch(url, {
        method: method ?? 'GET',
        headers: headers as Record<string, string>,
        body: (body as string | undefined) ?? null,
        redirect: 'manual',
        dispatcher: this.agent,
        signal: AbortSignal.timeout(this.limits.timeoutMs),
      });
      const bytes = await readBounded(answer.body, this.limits.maxAnswerBytes);
      const empty = bytes.length === 0;
      context.response = new Response(empty ? null : bytes, {
        status: answer.status,
        headers: [...answer.headers],
      });
    } catch (error) {
      if (error instanceof GraphError) throw error;
      throw new GraphError({ kind: 'transient', detail: networkProblem(error) }, { cause: error });
    }
  }
}

/** The body, inflated; a longer one than `limit` is cut off and refused, however small it came over the wire. */
async function readBounded(
  body: AsyncIterable<Uint8Array> | null,
  limit: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > limit)
      throw new GraphError({ kind: 'unusable', detail: `the answer is larger than ${limit} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function networkProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'no complete answer in time';
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
