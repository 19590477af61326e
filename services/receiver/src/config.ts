/** Settings of the receiver, by the names of their environment variables. */
import { integer, sharedSettings } from '@graph2kafka/shared';
import { z } from 'zod';

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
    .default(10_485_760)
    .describe('Largest body of a POST after inflation; Graph documents no limit of its own'),
});

export type ReceiverConfig = z.output<typeof receiverSettings>;

/** Never shown, not even at start-up. A Redis URL may hold a password. */
export const secretSettings = ['REDIS_URL', 'CLIENT_STATE_SECRETS', 'CLIENT_STATES_ACCEPTED'] as const;
