/** Settings of the receiver, by the names of their environment variables. */
import { integer, list, sharedSettings } from '@graph2kafka/shared';
import { z } from 'zod';
import { parseNetwork, parseTrustProxy } from './source-networks.ts';

export const receiverSettings = z.object({
  ...sharedSettings,
  PORT: integer(0, 65_535).default(8080).describe('Port of the public listener'),
  CLIENT_STATES_ACCEPTED: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine(
      (values) => values.every((value) => value.length >= 8 && value.length <= 128),
      'each value must have 8 to 128 characters',
    )
    .default([])
    .describe('Literal clientState values of subscriptions that were made elsewhere, comma-separated'),
  OWNER_RESOURCE_LIMIT: integer(100, 1_000_000)
    .default(10_000)
    .describe('Resources of a mailbox with news in Redis; more make the worker read all of it again instead'),
  MAX_BODY_BYTES: integer(1024, 104_857_600)
    .default(5_242_880)
    .describe('Largest body of a POST after inflation; Graph documents no limit of its own'),
  MAX_BYTES_IN_FLIGHT: integer(1024, 4_294_967_296)
    .default(33_554_432)
    .describe('Bytes of all bodies between their arrival and their answer; at least MAX_BODY_BYTES'),
  MAX_REQUESTS_IN_FLIGHT: integer(1, 100_000)
    .default(1000)
    .describe('Notification requests that are read and not yet answered; more get 503'),
  MAX_CONNECTIONS: integer(1, 1_000_000)
    .default(2000)
    .describe('Open connections; one more closes the one that has rested longest'),
  ALLOWED_SOURCE_NETWORKS: list()
    .refine(
      (networks) => networks.every((network) => parseNetwork(network)),
      'must be networks such as 203.0.113.0/24 or 2001:db8::/32, comma-separated',
    )
    .default([])
    .describe(
      'Networks that notifications may come from, comma-separated; without one they may come from anywhere',
    ),
  TRUST_PROXY: z
    .string()
    .refine(
      (text) => parseTrustProxy(text) !== undefined,
      'must be off, a number of proxies from 1 to 9, or their networks',
    )
    .default('off')
    .describe(
      'Proxies whose X-Forwarded-For is believed: `off`, how many there are, or their networks, comma-separated',
    ),
  SHUTDOWN_DELAY_MS: integer(0, 300_000)
    .default(3000)
    .describe(
      'Time after SIGTERM in which notifications are still taken while /readyz says 503, so that load balancers learn of it; at most half of SHUTDOWN_GRACE_MS counts',
    ),
  METRICS_PORT: integer(0, 65_535)
    .optional()
    .describe('Port of /metrics; never public; without one there is none'),
  METRICS_HOST: z
    .union([z.ipv4(), z.ipv6()], 'must be an IP address')
    .default('0.0.0.0')
    .describe('Address that the port of /metrics listens on'),
});

export type ReceiverConfig = z.output<typeof receiverSettings>;

/** Never shown, not even at start-up. A Redis URL may hold a password. */
export const secretSettings = ['REDIS_URL', 'CLIENT_STATE_SECRETS', 'CLIENT_STATES_ACCEPTED'] as const;

/** Each counts from the moment on in which it was replaced; a change of any other setting counts at the next start. */
const replaceable: readonly string[] = ['CLIENT_STATE_SECRETS', 'CLIENT_STATES_ACCEPTED'];

export const settingsAtStart = Object.keys(receiverSettings.shape).filter(
  (name) => !replaceable.includes(name),
);
