/** Tokens from the simulator's login authority, through @azure/identity. */
import { randomUUID } from 'node:crypto';
import { createLogger } from '@graph2kafka/shared';
import { eventually, freePort } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { createAccessTokens, createCredential } from '../../src/graph/access-tokens.ts';
import { GraphError } from '../../src/graph/graph-error.ts';
import { simulateGraph, tokenRequests, tokensFor } from '../support/simulated-graph.ts';

describe('an access token', () => {
  it('is asked for once, however many want it at the same time, and then kept', async () => {
    const { simulator, tokens } = await simulateGraph();
    const many = await Promise.all(Array.from({ length: 20 }, () => tokens.current()));
    expect(new Set(many).size).toBe(1);
    expect(await tokens.current()).toBe(many[0]);
    expect(tokenRequests(simulator)).toBe(1);
  });

  it('is replaced once when Graph refuses it, however many were refused at the same time', async () => {
    const { simulator, tokens } = await simulateGraph();
    const refused = await tokens.current();
    const many = await Promise.all(Array.from({ length: 20 }, () => tokens.afterRefusal(refused)));
    expect(new Set(many).size).toBe(1);
    expect(many[0]).not.toBe(refused);
    expect(await tokens.current()).toBe(many[0]);
    expect(tokenRequests(simulator)).toBe(2);
  });

  it('is not replaced again for one who learns late that the old one was refused', async () => {
    const { simulator, tokens } = await simulateGraph();
    const refused = await tokens.current();
    const fresh = await tokens.afterRefusal(refused);
    expect(await tokens.afterRefusal(refused)).toBe(fresh);
    expect(tokenRequests(simulator)).toBe(2);
  });

  it('is asked for anew on demand, and does until the new one is there, also where that fails', async () => {
    const { simulator, tokens } = await simulateGraph();
    const first = await tokens.current();
    const path = `/${simulator.tenantId}/oauth2/v2.0/token`;
    const away = simulator.faults.add({ path, status: 503, times: Number.POSITIVE_INFINITY });
    tokens.askAnew();
    await eventually(() => expect(away.hits).toBeGreaterThan(0));
    expect(await tokens.current()).toBe(first);
    away.remove();
    tokens.askAnew();
    await eventually(async () => expect(await tokens.current()).not.toBe(first));
  });

  it('is asked for again after a failure', async () => {
    const { simulator, tokens } = await simulateGraph();
    const path = `/${simulator.tenantId}/oauth2/v2.0/token`;
    simulator.faults.add({ path, status: 400, body: { error: 'x', error_description: 'AADSTS50196: loop' } });
    await expect(tokens.current()).rejects.toThrow('AADSTS50196');
    await expect(tokens.current()).resolves.toBeTypeOf('string');
  });
});

describe('a wrong client secret', () => {
  it("is unauthorized with Entra's code, and shows itself in no text, not even in the log", async () => {
    const { simulator } = await simulateGraph();
    const refusal = await tokensFor(simulator, 'PLANTED-SECRET')
      .current()
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(GraphError);
    expect((refusal as GraphError).failure).toEqual({
      kind: 'unauthorized',
      detail: 'no token: the client secret is wrong (AADSTS7000215)',
    });
    const lines: string[] = [];
    createLogger('worker', 'info', { write: (line) => lines.push(line) }).warn({ err: refusal }, 'x');
    expect(lines.join()).toContain('AADSTS7000215');
    expect(lines.join()).not.toContain('PLANTED-SECRET');
  });
});

describe('a client secret that was replaced', () => {
  it('counts from the next token on', async () => {
    const { simulator } = await simulateGraph();
    const { tenantId, clientId, url: authorityHost } = simulator;
    let clientSecret = 'no longer valid';
    const tokens = createAccessTokens(
      () => createCredential({ tenantId, clientId, clientSecret, authorityHost }),
      'https://graph.microsoft.com/.default',
    );
    await expect(tokens.current()).rejects.toThrow('AADSTS7000215');
    ({ clientSecret } = simulator);
    await expect(tokens.current()).rejects.toThrow('AADSTS7000215');
    tokens.renewCredential();
    await expect(tokens.current()).resolves.toBeTypeOf('string');
  });
});

describe('a login that the library says nothing about', () => {
  it('is asked itself why there was no token: gone, or no such tenant', async () => {
    const { simulator } = await simulateGraph();
    const reasonAt = async (loginUrl: string, tenantId: string) => {
      const { clientId, clientSecret } = simulator;
      const newCredential = () =>
        createCredential({ tenantId, clientId, clientSecret, authorityHost: loginUrl });
      const login = { loginUrl, tenantId, hasSecret: true };
      const asked = createAccessTokens(newCredential, 'https://graph.microsoft.com/.default', { login });
      const refusal: unknown = await asked.current().catch((error: unknown) => error);
      return refusal instanceof GraphError && refusal.failure;
    };
    const port = await freePort();
    expect(await reasonAt(`https://127.0.0.1:${port}`, simulator.tenantId)).toEqual({
      kind: 'unauthorized',
      detail: `no token: 127.0.0.1:${port} refuses connections (ECONNREFUSED)`,
    });
    expect(await reasonAt(simulator.url, randomUUID())).toMatchObject({
      detail: expect.stringMatching(/^no token: there is no such tenant here \(AADSTS90002\)$/),
    });
  });
});

/** Below the five minutes in which @azure/identity keeps a token for itself, so that each request is to be seen. */
const LIFE_SECONDS = 240;

/** Tokens by a clock that can be set forward. */
async function setForward() {
  const { simulator } = await simulateGraph({ tokenLifetimeSeconds: LIFE_SECONDS });
  const { tenantId, clientId, clientSecret, url: authorityHost } = simulator;
  let forwardMs = 0;
  const tokens = createAccessTokens(
    () => createCredential({ tenantId, clientId, clientSecret, authorityHost }),
    'https://graph.microsoft.com/.default',
    { now: () => Date.now() + forwardMs, loginTimeoutMs: 500 },
  );
  return {
    simulator,
    tokens,
    loginPath: `/${tenantId}/oauth2/v2.0/token`,
    setForward: (share: number) => {
      forwardMs = share * LIFE_SECONDS * 1000;
    },
  };
}

describe('a token that comes to its end', () => {
  it('is renewed before, once, while whoever asks is given the old one without waiting', async () => {
    const { simulator, tokens, loginPath, setForward: forward } = await setForward();
    const old = await tokens.current();
    forward(0.6);
    const slow = simulator.faults.add({ path: loginPath, delayMs: 300 });
    const many = await Promise.all(Array.from({ length: 20 }, () => tokens.current()));
    expect(new Set(many)).toEqual(new Set([old]));
    await eventually(() => expect(slow.hits).toBe(1));
    await eventually(async () => expect(await tokens.current()).not.toBe(old));
    expect(tokenRequests(simulator)).toBe(2);
  });

  it.each([
    ['is down', { kind: 'reset' }],
    ['is slow', { kind: 'hang' }],
    ['refuses', { status: 400 }],
  ] as const)('is used until then while the login %s', async (_name, fault) => {
    const { simulator, tokens, loginPath, setForward: forward } = await setForward();
    const old = await tokens.current();
    simulator.faults.add({ path: loginPath, ...fault, times: Number.POSITIVE_INFINITY });
    for (const share of [0.6, 0.8, 0.99]) {
      forward(share);
      expect(await tokens.current()).toBe(old);
      // The next try comes when this one has ended.
      await eventually(() => expect(tokenRequests(simulator)).toBeGreaterThan(1));
    }
    forward(1.01);
    await expect(tokens.current()).rejects.toMatchObject({ failure: { kind: 'unauthorized' } });
    simulator.faults.clear();
    expect(await tokens.current()).not.toBe(old);
  });

  it.each([[-600_000], [600_000]])(
    'is good for Graph whose clock is wrong by %i ms: refused ones are replaced',
    async (skewMs) => {
      const { simulator, client, user } = await simulateGraph({ tokenLifetimeSeconds: 400 });
      const path = `/users/${user}`;
      await client.request({ method: 'GET', path });
      simulator.faults.add({ on: 'clock', skewMs });
      await expect(client.request({ method: 'GET', path })).resolves.toMatchObject({ status: 200 });
      expect(tokenRequests(simulator)).toBe(skewMs > 0 ? 2 : 1);
    },
  );
});

describe('a login authority that does not answer', () => {
  it('is unauthorized after a time, for all who wait, and is asked again afterwards', async () => {
    const { simulator, tokens, loginPath } = await setForward();
    const stuck = simulator.faults.add({ path: loginPath, kind: 'hang' });
    const failure = { kind: 'unauthorized', detail: 'no token: no answer in time' };
    const both = await Promise.allSettled([tokens.current(), tokens.current()]);
    expect(both).toMatchObject([{ reason: { failure } }, { reason: { failure } }]);
    expect(stuck.hits).toBe(1);
    await expect(tokens.current()).resolves.toBeTypeOf('string');
  });
});

describe('a login authority that is away', () => {
  it('is unauthorized too: nothing of the tenant can be read', async () => {
    const { simulator } = await simulateGraph();
    const tokens = tokensFor(simulator);
    await simulator.close();
    await expect(tokens.current()).rejects.toMatchObject({ failure: { kind: 'unauthorized' } });
  });
});
