/** The worker's own settings, as far as a command needs them: to look into a topic takes neither Redis nor Graph. */
import {
  type Environment,
  loadConfig,
  manyLines,
  platformSecretReader,
  type ReadSecret,
  sharedSettings,
} from '@graph2kafka/shared';
import { z } from 'zod';
import { workerSettings } from '../config.ts';
import { connectionOf } from '../kafka/connection-of-settings.ts';
import type { KafkaConnection } from '../kafka/kafka-connection.ts';
import { contradictionsOf, kafkaSettings, secretKafkaSettings } from '../kafka/kafka-settings.ts';

const { KAFKA_BROKERS, KAFKA_CLIENT_ID, KAFKA_DEAD_LETTER_TOPIC } = workerSettings.shape;
const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_FEDERATION, AZURE_AUTHORITY_HOST } =
  workerSettings.shape;

const kafkaShape = {
  ...kafkaSettings,
  KAFKA_BROKERS,
  KAFKA_CLIENT_ID,
  KAFKA_DEAD_LETTER_TOPIC,
  // Of the identity that signs in to Event Hubs; nothing else here asks for a token.
  AZURE_TENANT_ID: AZURE_TENANT_ID.optional(),
  AZURE_CLIENT_ID: AZURE_CLIENT_ID.optional(),
  AZURE_CLIENT_SECRET,
  AZURE_FEDERATION,
  AZURE_AUTHORITY_HOST,
};

const { REDIS_URL, REDIS_PREFIX } = sharedSettings;

const readingSettings = z.object(kafkaShape).superRefine(refuseContradictions);
const replayingSettings = z
  .object({ ...kafkaShape, REDIS_URL, REDIS_PREFIX })
  .superRefine(refuseContradictions);

const { ENCRYPTION_KEYS, ENCRYPTION_CURRENT_KEY } = workerSettings.shape;

const rotationSettings = z.object({ ENCRYPTION_KEYS, ENCRYPTION_CURRENT_KEY });
const certificateSettings = z.object({
  // Required here; what is said of it (that it is no reference as a whole) goes with it.
  ENCRYPTION_KEYS: ENCRYPTION_KEYS.unwrap().meta({ ...ENCRYPTION_KEYS.meta() }),
  ENCRYPTION_CURRENT_KEY,
  REDIS_URL,
  REDIS_PREFIX,
});

/** `readKey`: takes secrets of many lines. */
type WithKeys<Settings> = Settings & { readonly readKey: ReadSecret };

export type RotationSettings = WithKeys<z.output<typeof rotationSettings>>;
export type CertificateSettings = WithKeys<z.output<typeof certificateSettings>>;

export type ReadingSettings = z.output<typeof readingSettings>;
export type ReplayingSettings = z.output<typeof replayingSettings>;

const secrets = [...secretKafkaSettings, 'AZURE_CLIENT_SECRET'];

function refuseContradictions(settings: ReadingSettings, context: z.core.$RefinementCtx): void {
  const problems: { setting: string; problem: string }[] = [...contradictionsOf(settings)];
  if (signsInWithAzure(settings)) {
    const needed = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID'] as const;
    const missing = needed.filter((setting) => settings[setting] === undefined);
    problems.push(
      ...missing.map((setting) => ({
        setting,
        problem: 'is required with KAFKA_SASL_MECHANISM=OAUTHBEARER and no KAFKA_OIDC_TOKEN_URL',
      })),
    );
  }
  for (const { setting, problem } of problems) {
    context.addIssue({ code: 'custom', path: [setting], message: problem });
  }
}

function signsInWithAzure(settings: ReadingSettings): boolean {
  const { KAFKA_SASL_MECHANISM, KAFKA_OIDC_TOKEN_URL, KAFKA_PROFILE } = settings;
  return (
    KAFKA_SASL_MECHANISM === 'OAUTHBEARER' &&
    KAFKA_OIDC_TOKEN_URL === undefined &&
    KAFKA_PROFILE === 'event-hubs'
  );
}

/** Rejects with a `ConfigError`. */
export function loadReadingSettings(environment: Environment): Promise<ReadingSettings> {
  return load(readingSettings, environment, secrets);
}

/** With what `replay` needs beside: the Redis of receiver and worker. Rejects with a `ConfigError`. */
export function loadReplayingSettings(environment: Environment): Promise<ReplayingSettings> {
  return load(replayingSettings, environment, [...secrets, 'REDIS_URL']);
}

/** The keys of rich notifications, and the Redis that knows the subscriptions. Rejects with a `ConfigError`. */
export async function loadCertificateSettings(environment: Environment): Promise<CertificateSettings> {
  return withKeys(await load(certificateSettings, environment, ['REDIS_URL']), environment);
}

/** The keys of rich notifications, if there are any. Rejects with a `ConfigError`. */
export async function loadRotationSettings(environment: Environment): Promise<RotationSettings> {
  return withKeys(await load(rotationSettings, environment, []), environment);
}

function withKeys<Settings extends object>(settings: Settings, environment: Environment): WithKeys<Settings> {
  return { ...settings, readKey: platformSecretReader(environment, manyLines) };
}

async function load<S extends z.ZodType>(
  schema: S,
  environment: Environment,
  names: readonly string[],
): Promise<z.output<S>> {
  const read = platformSecretReader(environment);
  return (await loadConfig({ schema, environment, secrets: names, read })).config as z.output<S>;
}

/** The way that the worker takes to Kafka, TLS and sign-in included. */
export function kafkaConnectionOf(settings: ReadingSettings): KafkaConnection {
  return connectionOf(settings, (scope) => azureToken(settings, scope));
}

/** Asked at each sign-in; a command is over soon. The library of the few who need it takes a second to load. */
async function azureToken(settings: ReadingSettings, scope: string): Promise<string> {
  const { createAccessTokens, createCredential } = await import('../graph/access-tokens.ts');
  const { AZURE_TENANT_ID: tenantId = '', AZURE_CLIENT_ID: clientId = '' } = settings;
  const { AZURE_CLIENT_SECRET: clientSecret, AZURE_AUTHORITY_HOST: authorityHost } = settings;
  const login = { tenantId, clientId, clientSecret, federation: settings.AZURE_FEDERATION, authorityHost };
  const newCredential = () => createCredential(login);
  return createAccessTokens(newCredential, scope).current();
}
