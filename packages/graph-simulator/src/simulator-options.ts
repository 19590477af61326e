// What a simulator can be told at its start, and what it does where it is not told.
import { randomUUID } from 'node:crypto';
import { DEFAULT_DELIVERY, type DeliverySettings } from './delivery-settings.ts';
import { DEFAULT_DELTA, type DeltaSettings } from './delta-settings.ts';
import type { EndpointRules } from './endpoint-rating.ts';
import { GRAPH_LIFECYCLE, type LifecycleSettings } from './lifecycle-notifications.ts';
import { GRAPH_REQUEST_LIMITS, type RequestLimits } from './request-limits.ts';
import type { RetryAfterForm } from './retry-after.ts';
import { GRAPH_QUOTAS, type SubscriptionQuotas } from './subscription-quotas.ts';
import { GRAPH_SUBSCRIPTION_THROTTLING, type SubscriptionThrottling } from './subscription-throttling.ts';
import { VALIDATION_ISSUERS, type ValidationTokenVersion } from './validation-tokens.ts';

/** The tenant and the app registration that exist unless others are named. */
export const DEFAULT_TENANT_ID = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
export const DEFAULT_CLIENT_ID = 'b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7';
export const DEFAULT_CLIENT_SECRET = 'simulator-client-secret';

/** A tenant with its app registrations; each app gets its tokens at the tenant's own endpoint. */
export interface TenantOptions {
  readonly tenantId: string;
  /** How many users exist from the start; none unless said. */
  readonly users?: number;
  readonly applications: readonly { readonly clientId: string; readonly clientSecret: string }[];
}

export interface GraphSimulatorOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Further names for the certificate, beside 127.0.0.1, ::1 and localhost: e.g. a container's. */
  readonly hostNames?: readonly string[];
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Further tenants, each with users and apps of its own, beside the one above. */
  readonly tenants?: readonly TenantOptions[];
  /** Users, their names and the calendars' life follow from it. */
  readonly seed?: number;
  /** How many users exist from the start. */
  readonly users?: number;
  /**
   * Two simulators with one seed have the same users, but items with other ids and change keys, unless this text is
   * the same too; random without it.
   */
  readonly instance?: string;
  /** JSON lines are appended to it. */
  readonly changeLogFile?: string;
  /** Newest entries of the change log kept in memory; all without it. */
  readonly changeLogKeepEntries?: number;
  /** Time that each call under /v1.0 takes: half before the state is read, half after. */
  readonly graphLatencyMs?: number;
  readonly tokenLifetimeSeconds?: number;
  /**
   * Epoch milliseconds. Rules about time (expiry, tokens) follow it; waiting does not. To let a test wait no longer,
   * there is `simulator.clock.advance`.
   */
  readonly now?: () => number;
  readonly delivery?: Partial<Omit<DeliverySettings, 'endpoints'>> & {
    readonly endpoints?: Partial<EndpointRules>;
  };
  readonly lifecycle?: Partial<LifecycleSettings>;
  readonly subscriptionQuotas?: Partial<SubscriptionQuotas>;
  /** False: calls about subscriptions are never too many. */
  readonly subscriptionThrottling?: Partial<SubscriptionThrottling> | false;
  /** Of a mailbox, of the directory, of all calls together; false: calls are never too many. */
  readonly requestLimits?: Partial<RequestLimits> | false;
  /** How an answer 429 says how long to wait; whole seconds unless said. */
  readonly retryAfter?: RetryAfterForm;
  readonly delta?: Partial<DeltaSettings>;
  /**
   * Graph takes https alone. Plain http is taken here unless this is false, as a receiver on the same machine seldom
   * has a certificate.
   */
  readonly allowHttpNotificationUrls?: boolean;
  /** PEM of further authorities that endpoints with https may have their certificates from. */
  readonly notificationCa?: string;
  readonly handshakeTimeoutMs?: number;
  /** Subscriptions per page of their list. */
  readonly subscriptionsPageSize?: number;
  /**
   * Of the tokens that go with resource data. "1.0" unless said: an app registration accepts that one as long as its
   * manifest does not ask for 2 (Entra page "Understand the app manifest", accessTokenAcceptedVersion).
   */
  readonly validationTokenVersion?: ValidationTokenVersion;
  /** Their issuer, with `{tenantid}` where the tenant's id goes; Microsoft's own in the global cloud unless said. */
  readonly validationIssuer?: string;
  /**
   * The name under which the login authority is called, beside those of the certificate. Where it is set, the authority
   * answers under no other name, and Graph not under this one, as in every cloud.
   */
  readonly loginHost?: string;
  /** Issuer that access tokens show, with `{tenantid}`; the simulator's own address unless said. */
  readonly accessTokenIssuer?: string;
  /**
   * "https://graph.microsoft.us": the audience of access tokens, and the only resource that a scope may name. Unless
   * said, any scope is taken, and the audience is that of the global cloud.
   */
  readonly graphResource?: string;
}

type Cloud = 'loginHost' | 'accessTokenIssuer' | 'graphResource';
type Settled = 'changeLogFile' | 'changeLogKeepEntries' | 'notificationCa' | Cloud;
type Composed =
  | 'delivery'
  | 'lifecycle'
  | 'subscriptionQuotas'
  | 'subscriptionThrottling'
  | 'requestLimits'
  | 'delta';

export type SimulatorSettings = Required<Omit<GraphSimulatorOptions, Settled | Composed>> & {
  readonly delivery: DeliverySettings;
  readonly lifecycle: LifecycleSettings;
  readonly subscriptionQuotas: SubscriptionQuotas;
  readonly subscriptionThrottling: SubscriptionThrottling | false;
  readonly requestLimits: RequestLimits | false;
  readonly delta: DeltaSettings;
  readonly changeLogFile: string | undefined;
  readonly changeLogKeepEntries: number | undefined;
  readonly notificationCa: string | undefined;
  readonly loginHost: string | undefined;
  readonly accessTokenIssuer: string | undefined;
  readonly graphResource: string | undefined;
};

export function simulatorSettings(options: GraphSimulatorOptions): SimulatorSettings {
  const version = options.validationTokenVersion ?? '1.0';
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    hostNames: [
      ...(options.hostNames ?? []),
      ...(options.loginHost === undefined ? [] : [options.loginHost]),
    ],
    tenantId: (options.tenantId ?? DEFAULT_TENANT_ID).toLowerCase(),
    clientId: options.clientId ?? DEFAULT_CLIENT_ID,
    clientSecret: options.clientSecret ?? DEFAULT_CLIENT_SECRET,
    tenants: options.tenants ?? [],
    seed: options.seed ?? 1,
    users: options.users ?? 3,
    instance: options.instance ?? randomUUID(),
    changeLogFile: options.changeLogFile,
    changeLogKeepEntries: options.changeLogKeepEntries,
    graphLatencyMs: options.graphLatencyMs ?? 0,
    // Entra's tokens last 60 to 90 minutes.
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 3599,
    now: options.now ?? Date.now,
    delivery: {
      ...DEFAULT_DELIVERY,
      ...options.delivery,
      endpoints: { ...DEFAULT_DELIVERY.endpoints, ...options.delivery?.endpoints },
    },
    lifecycle: { ...GRAPH_LIFECYCLE, ...options.lifecycle },
    subscriptionQuotas: { ...GRAPH_QUOTAS, ...options.subscriptionQuotas },
    subscriptionThrottling: options.subscriptionThrottling !== false && {
      ...GRAPH_SUBSCRIPTION_THROTTLING,
      ...options.subscriptionThrottling,
    },
    requestLimits: options.requestLimits !== false && { ...GRAPH_REQUEST_LIMITS, ...options.requestLimits },
    retryAfter: options.retryAfter ?? 'integer',
    delta: { ...DEFAULT_DELTA, ...options.delta },
    allowHttpNotificationUrls: options.allowHttpNotificationUrls ?? true,
    notificationCa: options.notificationCa,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
    subscriptionsPageSize: options.subscriptionsPageSize ?? 100,
    validationTokenVersion: version,
    validationIssuer: options.validationIssuer ?? VALIDATION_ISSUERS[version],
    loginHost: options.loginHost?.toLowerCase(),
    accessTokenIssuer: options.accessTokenIssuer,
    graphResource: options.graphResource?.replace(/\/$/, ''),
  };
}
