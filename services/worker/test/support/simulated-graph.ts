/** A simulated Graph over HTTPS for one test, trusted by this process, with a client of ours that is signed in to it. */
import tls from 'node:tls';
import { GraphSimulator, type GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import { onTestFinished } from 'vitest';
import { createAccessTokens, createCredential, type RenewableTokens } from '../../src/graph/access-tokens.ts';
import { createGraphClient, type GraphClient } from '../../src/graph/graph-client.ts';

const SCOPE = 'https://graph.microsoft.com/.default';

export type SimulatedGraph = {
  readonly simulator: GraphSimulator;
  readonly tokens: RenewableTokens;
  readonly client: GraphClient;
  /** Object id of the first user. */
  readonly user: string;
};

/** Ends with the test. */
export async function simulateGraph(
  options: GraphSimulatorOptions = {},
  limits: { readonly timeoutMs?: number; readonly maxAnswerBytes?: number } = {},
): Promise<SimulatedGraph> {
  const simulator = await GraphSimulator.start({ users: 1, ...options });
  onTestFinished(() => simulator.close());
  trust(simulator.caCertificate);
  const tokens = tokensFor(simulator);
  const client = createGraphClient({ url: simulator.url, tokens, ...limits });
  onTestFinished(() => client.close());
  return { simulator, tokens, client, user: simulator.users()[0]?.id ?? '' };
}

const usualAuthorities = tls.getCACertificates('default');

/**
 * undici and @azure/identity have no setting for an authority of their own; the process has. Simulators' authorities
 * are namesakes, of which TLS would try the oldest: only the newest is trusted.
 */
function trust(caCertificate: string): void {
  tls.setDefaultCACertificates([...usualAuthorities, caCertificate]);
}

export function tokensFor(simulator: GraphSimulator, clientSecret = simulator.clientSecret): RenewableTokens {
  const { tenantId, clientId, url } = simulator;
  return createAccessTokens(
    () => createCredential({ tenantId, clientId, clientSecret, authorityHost: url }),
    SCOPE,
  );
}

/** How often a token was asked for. */
export function tokenRequests({ requests }: GraphSimulator): number {
  return requests.filter(({ path }) => path.includes('/oauth2/v2.0/token')).length;
}

/** Calls under /v1.0, as `GET /v1.0/users/…`. */
export function graphCalls({ requests }: GraphSimulator): string[] {
  return requests
    .filter(({ path }) => path.startsWith('/v1.0'))
    .map(({ method, path }) => `${method} ${path}`);
}
