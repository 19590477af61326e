/**
 * Sends requests over one pool, to one origin: no redirect is followed, no other host called, and each request ends
 * after a time and a size, whatever is answered.
 */
import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { Agent, fetch } from 'undici';
import { GraphError } from './graph-error.ts';
import { isGraphUrl } from './graph-url.ts';

export type TransportLimits = {
  /** For the whole request: waiting for a connection, its body, the answer's body. */
  readonly timeoutMs: number;
  /** Of an answer's body, inflated. */
  readonly maxAnswerBytes: number;
};

/** A host in reach answers within a round trip or two; what is left of the deadline goes to another try. */
const CONNECT_TIMEOUT_MS = 5000;
/** The longest pause within an answer that has begun. */
const BODY_PAUSE_MS = 5000;
/** Twice as many requests as 32 owners (the default) with 4 each make, collected into batches, by far. */
const CONNECTIONS = 64;
/** Spares a handshake where it was quiet for a moment; well below the minutes after which balancers drop what rests. */
const KEEP_ALIVE_MS = 30_000;

/** The last of a middleware chain; puts the whole answer, read, into its context. */
export class PinnedTransport implements Middleware {
  private readonly origin: string;
  private readonly limits: TransportLimits;
  private readonly agent: Agent;
  private closing: Promise<void> | undefined;

  /** `origin` as `URL.origin` writes it. */
  constructor(origin: string, limits: TransportLimits) {
    this.origin = origin;
    this.limits = limits;
    this.agent = new Agent({
      connections: CONNECTIONS,
      pipelining: 1,
      // A connection for each request under way: one that is stuck holds back no other.
      allowH2: false,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: limits.timeoutMs,
      bodyTimeout: BODY_PAUSE_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
  }

  /** Throws a `GraphError`. */
  async execute(context: Context): Promise<void> {
    const url = new URL(typeof context.request === 'string' ? context.request : context.request.url);
    if (!isGraphUrl(url, this.origin)) throw foreignUrl();
    const { method, headers, body, signal } = context.options ?? {};
    const timeout = AbortSignal.timeout(this.limits.timeoutMs);
    try {
      const answer = await fetch(url, {
        method: method ?? 'GET',
        headers: headers as Record<string, string>,
        body: (body as string | undefined) ?? null,
        redirect: 'manual',
        dispatcher: this.agent,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const bytes = await readBounded(answer.body, this.limits.maxAnswerBytes);
      context.response = new Response(bytes.length === 0 ? null : bytes, {
        status: answer.status,
        headers: [...answer.headers],
      });
    } catch (error) {
      if (error instanceof GraphError) throw error;
      throw new GraphError({ kind: 'transient', detail: networkProblem(error) }, { cause: error });
    }
  }

  /** Resolves when the requests under way have ended and no connection is left. */
  close(): Promise<void> {
    this.closing ??= this.agent.close();
    return this.closing;
  }
}

function foreignUrl(): GraphError {
  return new GraphError({
    kind: 'rejected',
    status: 0,
    code: 'foreignUrl',
    detail: 'not a URL of the configured Graph',
  });
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
