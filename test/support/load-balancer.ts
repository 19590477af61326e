/**
 * What platforms put before receivers: it asks each whether it is ready, gives requests in turn to those that are, keeps
 * connections open, and tries nothing twice.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@graph2kafka/test-harness';
import { onTestFinished } from 'vitest';

export type LoadBalancer = {
  readonly url: string;
  /** Requests that a receiver did not answer, with the reason. */
  readonly broken: readonly string[];
  /** Of all answers. */
  readonly statuses: readonly number[];
  /** Resolves when it is ready. */
  add(url: string): Promise<void>;
};

/** Seldom enough to send requests for a while to one that has begun to end; platforms look more seldom still. */
const ASK_EVERY_MS = 500;
/** Who takes longer is not ready. */
const ASK_WITHIN_MS = 1000;

export async function startLoadBalancer(): Promise<LoadBalancer> {
  const ready = new Map<string, boolean>();
  const broken: string[] = [];
  const statuses: number[] = [];
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const choose = () => {
    const targets = [...ready].filter(([, isReady]) => isReady).map(([url]) => url);
    turn += 1;
    return targets[turn % targets.length];
  };
  const server = createServer(async (incoming, outgoing) => {
    const target = (await eventually(choose)) ?? '';
    forward(incoming, outgoing, { target, agent, broken, statuses });
  });
  const ending = new AbortController();
  void keepAsking(ready, ending.signal);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    ending.abort();
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken,
    statuses,
    async add(url) {
      ready.set(url, false);
      await eventually(() => ready.get(url), { timeoutMs: 30_000 });
    },
  };
}

type Forwarding = {
  readonly target: string;
  readonly agent: Agent;
  readonly broken: string[];
  readonly statuses: number[];
};

function forward(incoming: IncomingMessage, outgoing: ServerResponse, on: Forwarding): void {
  const { method = 'GET', headers, url = '/' } = incoming;
  const { connection: _ours, ...rest } = headers;
  const sending = request(`${on.target}${url}`, { method, headers: rest, agent: on.agent }, (answer) => {
    on.statuses.push(answer.statusCode ?? 0);
    const { connection: _theirs, ...shown } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, shown);
    answer.pipe(outgoing);
  });
  sending.on('error', (error) => {
    on.broken.push(`${method} ${url} to ${on.target}: ${error.message}`);
    outgoing.writeHead(502).end();
  });
  incoming.pipe(sending);
}

/** One after the other, so that no answer comes after a newer one. */
async function keepAsking(ready: Map<string, boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const url of ready.keys()) ready.set(url, await isReady(url));
    await pause(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
