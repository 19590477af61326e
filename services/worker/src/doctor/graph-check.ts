/** Whether Graph answers a cheap call, how soon, and what time it has. */
import { Agent, request } from 'undici';
import { networkProblem } from '../network-problem.ts';
import { judgeSkew, skewOf } from './clock-skew.ts';
import { error, ok, type Remark, warning } from './finding.ts';

/** One of Outlook's slower answers takes two. */
const SLOW_MS = 2000;

export type GraphAnswer = {
  readonly status: number;
  readonly date: string | undefined;
  readonly sentAt: number;
  readonly answeredAt: number;
  /** Without the way into DNS and TLS: the second of two calls on one connection. */
  readonly latencyMs: number;
};

/** `token` undefined: there is none, and Graph's 401 tells the rest all the same. */
export async function checkGraph(
  graphUrl: string,
  token: string | undefined,
  now: () => number,
  signal: AbortSignal,
): Promise<Remark[]> {
  const { host } = new URL(graphUrl);
  const agent = new Agent({ connections: 1, allowH2: false });
  signal.addEventListener('abort', () => void agent.destroy().catch(() => undefined));
  try {
    await ask(agent, graphUrl, token, now, signal);
    return judgeGraph(await ask(agent, graphUrl, token, now, signal), host, token !== undefined);
  } catch (thrown) {
    const { found, cure } = networkProblem(thrown, host) ?? {
      found: `Graph does not answer at ${host} (${thrown instanceof Error ? thrown.name : 'unknown error'})`,
      cure: `let this machine out to https://${host}`,
    };
    return [error(found, cure)];
  } finally {
    await agent.destroy().catch(() => undefined);
  }
}

/** A subscription that nobody has: takes no permission, and counts towards no mailbox. */
const PROBE_PATH = '/v1.0/subscriptions/00000000-0000-0000-0000-000000000000';

async function ask(
  dispatcher: Agent,
  graphUrl: string,
  token: string | undefined,
  now: () => number,
  signal: AbortSignal,
): Promise<GraphAnswer> {
  const [sentAt, begun] = [now(), performance.now()];
  const { statusCode, headers, body } = await request(new URL(PROBE_PATH, graphUrl), {
    dispatcher,
    signal,
    headers: { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });
  const latencyMs = Math.round(performance.now() - begun);
  const date = typeof headers.date === 'string' ? headers.date : undefined;
  await body.dump({ limit: 65_536, signal });
  return { status: statusCode, date, sentAt, answeredAt: now(), latencyMs };
}

export function judgeGraph(answer: GraphAnswer, host: string, hasToken: boolean): Remark[] {
  const { status, date, sentAt, answeredAt, latencyMs } = answer;
  const skew = skewOf(date, sentAt, answeredAt);
  const clock = skew === undefined ? [] : judgeSkew(skew);
  const time =
    skew === undefined ? 'it tells no time' : `its clock is ${Math.abs(skew / 1000).toFixed(0)} s off ours`;
  const problem = judgeStatus(status, host, hasToken);
  const slow =
    latencyMs > SLOW_MS
      ? [
          warning(
            `${host} takes ${latencyMs} ms to answer`,
            'look at the network and the proxy on the way to it',
          ),
        ]
      : [];
  const fine = problem ? [problem] : [ok(`${host} answers in ${latencyMs} ms; ${time}`)];
  return [...fine, ...slow, ...clock];
}

function judgeStatus(status: number, host: string, hasToken: boolean): Remark | undefined {
  if (status === 404 || status === 200 || (status === 401 && !hasToken)) return undefined;
  if (status === 401) {
    return error(
      `${host} refuses the token (401)`,
      'see that GRAPH_CLOUD, GRAPH_SCOPE and GRAPH_URL are of one cloud, and that the clock is right',
    );
  }
  if (status === 403) {
    return error(
      `${host} refuses the app (403)`,
      'see whether the app is blocked in the tenant, or a licence is missing',
    );
  }
  if (status === 429 || status === 503) {
    return warning(
      `${host} asks for a pause (${status})`,
      'wait a minute and ask again; see what else uses this app',
    );
  }
  if (status >= 300 && status < 400) {
    return error(
      `${host} answers with a redirect (${status}): this is not Graph`,
      'correct GRAPH_URL, or let the worker past the proxy that answers',
    );
  }
  return error(`${host} answers ${status}`, 'correct GRAPH_URL; if it is right, wait and ask again');
}
