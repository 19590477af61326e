// One call under /v1.0, whether it came alone or as a part of a batch: log, token, limits, faults, latency, answer.
import { randomUUID } from 'node:crypto';
import type { AccessTokens } from './access-tokens.ts';
import type { ReadEntry } from './change-log.ts';
import { expiredFormOf } from './delta-settings.ts';
import { answersItself } from './fault-answers.ts';
import type { Faults, RequestFault } from './faults.ts';
import {
  errorBody,
  type GraphAnswer,
  GraphError,
  type GraphRequest,
  headerText,
  type ReadMark,
  type RequestIds,
} from './graph-exchange.ts';
import type { Admission, LimitedCall } from './request-limits.ts';
import type { RequestLog } from './request-log.ts';
import type { ResourcePath } from './resource-path.ts';
import type { SimulatorClock } from './simulator-clock.ts';
import { throttledCall } from './throttle-faults.ts';

export interface CallSubject {
  /** "users/{id}": whose limit of simultaneous calls it counts against; undefined for a batch, whose parts count. */
  readonly owner: string | undefined;
  /** Canonical path of the single resource that a GET of it would read. */
  readonly resource: string | undefined;
  /** Resolved; undefined where the text is no path. */
  readonly path: ResourcePath | undefined;
}

export interface GraphCallsDeps {
  readonly graphApi: (request: GraphRequest) => Promise<GraphAnswer>;
  readonly tokens: AccessTokens;
  readonly limits: (call: LimitedCall) => Admission;
  readonly retryAfter: (waitMs: number) => Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** What a raw path below /v1.0 is about, called by an app of that tenant; "" where nobody knows whose call it is. */
  readonly describe: (path: string, tenantId: string) => CallSubject;
  readonly onRead: (entry: ReadEntry) => void;
  readonly now: () => number;
  readonly clock: SimulatorClock;
  readonly latencyMs: number;
  /** Aborted when the simulator closes: ends waiting. */
  readonly closing: AbortSignal;
}

/** A call as it came. */
export type IncomingCall = Pick<GraphRequest, 'method' | 'headers' | 'body' | 'origin'> & {
  /** Raw path and query: "/users?$top=1". */
  readonly url: string;
  readonly ids: RequestIds;
};

type Grant = Pick<GraphRequest, 'application' | 'authorizedUntilMs'>;

/** What is to be sent: an answer of the API, or what a fault sends in its place. */
export type CallOutcome = { readonly answer: GraphAnswer } | { readonly fault: RequestFault };

const REFUSALS = {
  absent: 'Access token is empty.',
  unknown: 'Access token validation failure. Invalid signature.',
  expired: 'Lifetime validation failed, the token is expired.',
};

function grantOf(tokens: AccessTokens, headers: GraphRequest['headers']): Grant | GraphError {
  const verdict = tokens.verify(headerText(headers, 'authorization'));
  if (verdict.kind === 'valid') {
    return { application: verdict.application, authorizedUntilMs: verdict.expiresAtMs };
  }
  const challenge = { 'www-authenticate': 'Bearer realm=""' };
  return new GraphError(401, 'InvalidAuthenticationToken', REFUSALS[verdict.kind], undefined, challenge);
}

const tenantOf = (granted: Grant | GraphError) =>
  granted instanceof GraphError ? '' : granted.application.tenantId;

export function decoded(path: string): string {
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

/** One call from its arrival to its end. */
export class GraphCall {
  readonly #deps: GraphCallsDeps;
  readonly #incoming: IncomingCall;
  readonly #path: string;
  readonly #query: string;
  readonly #subject: CallSubject;
  readonly #granted: Grant | GraphError;
  readonly #endLog: (status: number) => void;
  #admission: Admission | undefined;
  #isOver = false;

  /** @param grant of the batch that it is a part of; without it its own token is looked at */
  constructor(deps: GraphCallsDeps, incoming: IncomingCall, grant?: Grant) {
    const { path, query } = splitUrl(incoming.url);
    const shown = `/v1.0${decoded(path)}${query === '' ? '' : `?${query}`}`;
    this.#deps = deps;
    this.#incoming = incoming;
    this.#path = path;
    this.#query = query;
    this.#granted = grant ?? grantOf(deps.tokens, incoming.headers);
    this.#subject = deps.describe(path, tenantOf(this.#granted));
    const { owner } = this.#subject;
    this.#endLog = deps.log.begin({ method: incoming.method, path: shown, owner, at: deps.now() });
  }

  /** What is to be sent. */
  async run(): Promise<CallOutcome> {
    const { latencyMs } = this.#deps;
    const granted = this.#granted;
    const refusal = granted instanceof GraphError ? undefined : this.#admit(granted);
    if (refusal !== undefined) return { answer: this.#errorAnswer(refusal) };
    const fault = this.#deps.faults.takeForRequest({
      method: this.#incoming.method,
      path: `/v1.0${decoded(this.#path)}`,
      query: new URLSearchParams(this.#query),
    });
    await this.#wait(fault?.delayMs);
    if (fault !== undefined && answersItself(fault)) return { fault };
    if (granted instanceof GraphError) return { answer: this.#errorAnswer(granted) };
    const ownLatencyMs = this.#subject.owner === undefined ? 0 : latencyMs;
    await this.#wait(ownLatencyMs / 2);
    const answer = await this.#answer(granted, fault);
    await this.#wait(ownLatencyMs / 2);
    return { answer };
  }

  /**
   * Notes that it is over, with the status just before the answer's last byte is handed on, so that a client which
   * waits for an answer is never counted twice; further calls do nothing.
   */
  end(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#admission?.release();
    this.#endLog(status);
  }

  /** Writes into the change log which state was read, if this was a read of a single resource. */
  noteRead(status: number, mark?: ReadMark): void {
    const { resource } = this.#subject;
    if (this.#incoming.method !== 'GET' || resource === undefined) return;
    const answeredAt = this.#deps.now();
    const read = mark ?? { resource, version: null, at: answeredAt };
    const tenantId = tenantOf(this.#granted);
    this.#deps.onRead({ kind: 'read', ...read, answeredAt, status, ...(tenantId !== '' && { tenantId }) });
  }

  #admit({ application }: Grant): GraphError | undefined {
    const { path, owner } = this.#subject;
    const { method } = this.#incoming;
    const refusal = throttledCall(this.#deps, { method, path, application });
    if (refusal !== undefined || path === undefined || owner === undefined) return refusal;
    try {
      const query = new URLSearchParams(this.#query);
      this.#admission = this.#deps.limits({ method, path, query, application });
      return undefined;
    } catch (cause) {
      if (cause instanceof GraphError) return cause;
      throw cause;
    }
  }

  async #answer(grant: Grant, fault: RequestFault | undefined): Promise<GraphAnswer> {
    const { method, headers, body, origin } = this.#incoming;
    const query = new URLSearchParams(this.#query);
    const expiredToken =
      fault?.kind === 'expired-token' ? (expiredFormOf(fault.status) ?? ('as set' as const)) : undefined;
    const call = { method, path: this.#path, query, headers, body, origin, ...grant };
    const request = { ...call, ...(expiredToken !== undefined && { expiredToken }) };
    try {
      const answer = await this.#deps.graphApi(request);
      return { ...answer, headers: { ...this.#admission?.headers, ...answer.headers } };
    } catch (cause) {
      if (cause instanceof GraphError) return this.#errorAnswer(cause);
      throw cause;
    }
  }

  #errorAnswer({ status, code, message, headers, read }: GraphError): GraphAnswer {
    const body = errorBody(code, message, this.#incoming.ids, this.#deps.now());
    const all = { ...this.#admission?.headers, ...headers };
    return { status, headers: all, body, ...(read && { read }) };
  }

  async #wait(ms: number | undefined): Promise<void> {
    if (ms !== undefined && ms > 0) await this.#deps.clock.pause(ms, this.#deps.closing);
  }
}

/** What a part of a batch sends: it has headers, but no connection of its own. */
export interface PartCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Runs a part as a call of its own, with the token and the origin of the batch. */
export async function runPart(
  deps: GraphCallsDeps,
  part: PartCall,
  batch: GraphRequest,
  faultAnswer: (fault: RequestFault, ids: RequestIds) => GraphAnswer,
): Promise<GraphAnswer> {
  const requestId = randomUUID();
  const ids = { requestId, clientRequestId: part.headers['client-request-id'] ?? requestId };
  const { application, authorizedUntilMs, origin } = batch;
  const call = new GraphCall(deps, { ...part, origin, ids }, { application, authorizedUntilMs });
  try {
    const outcome = await call.run();
    const answer = 'fault' in outcome ? faultAnswer(outcome.fault, ids) : outcome.answer;
    call.end(answer.status);
    call.noteRead(answer.status, answer.read);
    return answer;
  } finally {
    call.end(0);
  }
}
