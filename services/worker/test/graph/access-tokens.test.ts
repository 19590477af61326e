/** Tokens from the simulator's login authority, through @azure/identity. */
import { createLogger } from '@graph2kafka/shared';
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
      detail: 'no token: AADSTS7000215',
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

describe('a login authority that is away', () => {
  it('is unauthorized too: nothing of the tenant can be read', async () => {
    const { simulator } = await simulateGraph();
    const tokens = tokensFor(simulator);
    await simulator.close();
    await expect(tokens.current()).rejects.toMatchObject({ failure: { kind: 'unauthorized' } });
  });
});
