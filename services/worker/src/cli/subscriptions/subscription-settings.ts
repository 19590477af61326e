/** The worker's settings, as far as commands on subscriptions need them: to look at what is known takes no Graph. */
import { type Environment, loadConfig, platformSecretReader, sharedSettings } from '@graph2kafka/shared';
import { z } from 'zod';
import { workerSettings } from '../../config.ts';

const worker = workerSettings.shape;

const knownShape = {
  REDIS_URL: sharedSettings.REDIS_URL,
  REDIS_PREFIX: sharedSettings.REDIS_PREFIX,
  AZURE_TENANT_ID: worker.AZURE_TENANT_ID,
  SUBSCRIPTIONS_FILE: worker.SUBSCRIPTIONS_FILE,
  LIFECYCLE_NOTIFICATION_URL: worker.LIFECYCLE_NOTIFICATION_URL,
  KAFKA_TOPIC: worker.KAFKA_TOPIC,
  PEOPLE_EVERY_MS: worker.PEOPLE_EVERY_MS,
};

const askingShape = {
  ...knownShape,
  AZURE_CLIENT_ID: worker.AZURE_CLIENT_ID,
  AZURE_CLIENT_SECRET: worker.AZURE_CLIENT_SECRET,
  AZURE_FEDERATION: worker.AZURE_FEDERATION,
  AZURE_AUTHORITY_HOST: worker.AZURE_AUTHORITY_HOST,
  GRAPH_CLOUD: worker.GRAPH_CLOUD,
  GRAPH_URL: worker.GRAPH_URL,
  GRAPH_SCOPE: worker.GRAPH_SCOPE,
  CLIENT_STATE_SECRETS: sharedSettings.CLIENT_STATE_SECRETS,
  NOTIFICATION_URL: worker.NOTIFICATION_URL,
  ENCRYPTION_KEYS: worker.ENCRYPTION_KEYS,
  ENCRYPTION_CURRENT_KEY: worker.ENCRYPTION_CURRENT_KEY,
  KAFKA_DEAD_LETTER_TOPIC: worker.KAFKA_DEAD_LETTER_TOPIC,
};

const knownSettings = z.object(knownShape);
const askingSettings = z.object(askingShape);

export type KnownSettings = z.output<typeof knownSettings>;
export type AskingSettings = z.output<typeof askingSettings>;

/** Rejects with a `ConfigError`. */
export function loadKnownSettings(environment: Environment): Promise<KnownSettings> {
  return load(knownSettings, environment, ['REDIS_URL']);
}

/** Of commands that ask Graph. Rejects with a `ConfigError`. */
export function loadAskingSettings(environment: Environment): Promise<AskingSettings> {
  return load(askingSettings, environment, ['REDIS_URL', 'CLIENT_STATE_SECRETS', 'AZURE_CLIENT_SECRET']);
}

async function load<S extends z.ZodType>(
  schema: S,
  environment: Environment,
  secrets: readonly string[],
): Promise<z.output<S>> {
  const read = platformSecretReader(environment);
  return (await loadConfig({ schema, environment, secrets, read })).config as z.output<S>;
}
