/**
 * A tenant whose changes are read: its own credentials, its own connections to Graph, its own proof of rich notifications,
 * and where its records go. Nothing of one is used for another.
 */
import type { Logger } from '@graph2kafka/shared';
import { createAccessTokens, createCredential, type RenewableTokens } from '../graph/access-tokens.ts';
import { type Batching, createBatchedRequests } from '../graph/batched-requests.ts';
import { createFetchResource } from '../graph/fetch-resource.ts';
import {
  createGraphClient,
  type GraphClient,
  type GraphClientOptions,
  type RequestForm,
} from '../graph/graph-client.ts';
import { createReadPage } from '../graph/read-page.ts';
import type { TenantAccess } from '../inbox/tenant-access.ts';
import { createDirectory, type Directory } from '../people/directory.ts';
import { authorityAt } from '../rich/token-authority.ts';
import { createTokenVerifier, type TokenVerifier } from '../rich/validation-tokens.ts';
import { createSubscriptionsApi, type SubscriptionsApi } from '../subscriptions/subscriptions-api.ts';
import type { Endpoints } from './clouds.ts';

export type TenantSettings = {
  readonly id: string;
  /** As subscriptions.yaml calls it; absent: the one of AZURE_TENANT_ID. */
  readonly name?: string;
  readonly clientId: string;
  /** Asked at each new sign-in, since it may be replaced; undefined: the platform signs in. */
  readonly clientSecret: () => string | undefined;
  readonly topic: string;
  readonly deadLetterTopic: string;
};

export type Tenant = TenantAccess &
  Omit<TenantSettings, 'clientSecret'> & {
    readonly tokens: RenewableTokens;
    readonly api: SubscriptionsApi;
    readonly directory: Directory;
    readonly verifier: TokenVerifier;
    close(): Promise<void>;
  };

export type TenantDeps = {
  readonly endpoints: Endpoints;
  /** Whether the platform may be asked about the login host; not where the operator named one. */
  readonly authorityHost: string | undefined;
  /** Who vouches for apps without a secret; absent: what the platform offers. */
  readonly federation?: 'google' | undefined;
  /** Absent: each resource is asked for by itself. */
  readonly batching: Omit<Batching, 'onRefused'> | undefined;
  readonly onRequest: (form: RequestForm) => void;
  /** Told of the time by Graph's clock. */
  readonly onDate: NonNullable<GraphClientOptions['onDate']>;
  readonly log: Logger;
};

export function createTenant(settings: TenantSettings, deps: TenantDeps): Tenant {
  const { clientSecret, ...shown } = settings;
  const { endpoints, authorityHost, federation, onRequest, onDate } = deps;
  const { id: tenantId, clientId } = settings;
  const newCredential = () =>
    createCredential({ tenantId, clientId, clientSecret: clientSecret(), federation, authorityHost });
  const hasSecret = clientSecret() !== undefined;
  const login = { loginUrl: endpoints.loginUrl, tenantId, hasSecret };
  const tokens = createAccessTokens(newCredential, endpoints.scope, { login });
  const graph = createGraphClient({ url: endpoints.graphUrl, tokens, onRequest, onDate });
  return {
    ...shown,
    tokens,
    fetchResource: createFetchResource(batchedOrSingle(graph, deps)),
    readPage: createReadPage(graph, endpoints.graphUrl),
    api: createSubscriptionsApi(graph, endpoints.graphUrl),
    directory: createDirectory({ client: graph, graphUrl: endpoints.graphUrl }),
    verifier: createTokenVerifier({ audiences: [clientId], authority: authorityAt(endpoints.loginUrl) }),
    close: () => graph.close(),
  };
}

function batchedOrSingle(graph: GraphClient, { batching, log }: TenantDeps) {
  if (!batching) return graph;
  return createBatchedRequests(graph, {
    ...batching,
    onRefused: (error) => log.warn({ err: error }, 'batch.refused'),
  });
}
