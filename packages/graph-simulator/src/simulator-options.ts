// What a simulator can be told at its start, and what it does where it is not told.
import { randomUUID } from 'node:crypto';
import { DEFAULT_DELIVERY, type DeliverySettings } from './delivery-settings.ts';

/** The tenant and the app registration that exist unless others are named. */
export const DEFAULT_TENANT_ID = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
export const DEFAULT_CLIENT_ID = 'b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7';
export const DEFAULT_CLIENT_SECRET = 'simulator-client-secret';

export interface GraphSimulatorOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Further names for the certificate, beside 127.0.0.1, ::1 and localhost: e.g. a container's. */
  readonly hostNames?: readonly string[];
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
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
  /** Epoch milliseconds. Rules about time (expiry, tokens) follow it; waiting does not. */
  readonly now?: () => number;
  readonly delivery?: Partial<DeliverySettings>;
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
}

type Settled = 'changeLogFile' | 'changeLogKeepEntries' | 'notificationCa';

export type SimulatorSettings = Required<Omit<GraphSimulatorOptions, Settled | 'delivery'>> & {
  readonly delivery: DeliverySettings;
  readonly changeLogFile: string | undefined;
  readonly changeLogKeepEntries: number | undefined;
  readonly notificationCa: string | undefined;
};

export function simulatorSettings(options: GraphSimulatorOptions): SimulatorSettings {
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    hostNames: options.hostNames ?? [],
    tenantId: (options.tenantId ?? DEFAULT_TENANT_ID).toLowerCase(),
    clientId: options.clientId ?? DEFAULT_CLIENT_ID,
    clientSecret: options.clientSecret ?? DEFAULT_CLIENT_SECRET,
    seed: options.seed ?? 1,
    users: options.users ?? 3,
    instance: options.instance ?? randomUUID(),
    changeLogFile: options.changeLogFile,
    changeLogKeepEntries: options.changeLogKeepEntries,
    graphLatencyMs: options.graphLatencyMs ?? 0,
    // Entra's tokens last 60 to 90 minutes.
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 3599,
    now: options.now ?? Date.now,
    delivery: { ...DEFAULT_DELIVERY, ...options.delivery },
    allowHttpNotificationUrls: options.allowHttpNotificationUrls ?? true,
    notificationCa: options.notificationCa,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
    subscriptionsPageSize: options.subscriptionsPageSize ?? 100,
  };
}
