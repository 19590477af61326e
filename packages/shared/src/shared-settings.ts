/** Settings that receiver and worker share: they must point at the same Redis, and agree on secrets. */
import { z } from 'zod';
import { splitSecret } from './client-state.ts';
import { integer, list, url } from './parse-config.ts';

/** Not a reference, and never taken for one: it is needed to read them, or has a form of its own. */
export const VERBATIM = { verbatim: true } as const;

export const sharedSettings = {
  REDIS_URL: url('redis:', 'rediss:').describe('Redis 6.2 or later, `redis://` or, over TLS, `rediss://`'),
  REDIS_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, - or _')
    .default('g2k')
    .describe('Begins the name of every key; deployments that share a Redis differ in it'),
  REDIS_DURABILITY: z
    .enum(['strict', 'replicated', 'declared'], 'must be strict, replicated or declared')
    .default('strict')
    .describe(
      'What stands behind a 202: `strict` verifies AOF `always` and `noeviction`, `replicated` waits for replicas, `declared` trusts a Redis that hides its settings',
    ),
  REDIS_REPLICAS: integer(1, 10)
    .default(1)
    .describe('Replicas that must confirm each write under `replicated`'),
  CLIENT_STATE_SECRETS: list()
    .refine(
      (secrets) => secrets.every((text) => splitSecret(text).secret.length >= 16),
      'each secret must have at least 16 characters',
    )
    .describe(
      'Secrets of the clientState, comma-separated: the first signs, all verify; `tenantId=secret` is of that tenant alone',
    ),
  MANAGED_IDENTITY_CLIENT_ID: z
    .guid('must be a GUID')
    .optional()
    .describe('User-assigned managed identity that reads Key Vault; without one the system-assigned')
    .meta(VERBATIM),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
      'must be trace, debug, info, warn, error or fatal',
    )
    .default('info')
    .describe('Least severe log line to write'),
  GOOGLE_CLOUD_PROJECT: z
    .string()
    .regex(/^[a-z0-9.:-]{1,63}$/, "must be a project's id")
    .optional()
    .describe(
      'Project of Google Cloud, where it is the platform: log lines then name their trace as Cloud Logging reads it',
    ),
  SHUTDOWN_GRACE_MS: integer(100, 600_000)
    .default(8000)
    .describe('Time to end in after SIGTERM; Cloud Run kills after 10 s, Container Apps after 30 s'),
};
