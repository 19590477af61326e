/** Settings of the way to Kafka and of its topics, in Kafka's own words, and which of them contradict each other. */
import { readFileSync } from 'node:fs';
import { integer, url } from '@graph2kafka/shared';
import { z } from 'zod';

const oneOf = <const Words extends readonly string[]>(...words: Words) =>
  z.enum(words, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);

export const kafkaSettings = {
  KAFKA_PROFILE: oneOf('event-hubs', 'confluent-cloud', 'google-cloud')
    .optional()
    .describe('Limits and defaults of a managed Kafka: `event-hubs`, `confluent-cloud` or `google-cloud`'),
  KAFKA_SECURITY_PROTOCOL: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL')
    .optional()
    .describe('`PLAINTEXT` (default), `SSL`, `SASL_PLAINTEXT` or `SASL_SSL` (default with a profile)'),
  KAFKA_SSL_CA: pem().describe('PEM, or path of it, of the authority to trust; default: those of Node'),
  KAFKA_SSL_CERT: pem().describe('PEM, or path of it, of our certificate, where brokers ask for one'),
  KAFKA_SSL_KEY: pem().describe('PEM, or path of it, of its key'),
  KAFKA_SASL_MECHANISM: oneOf('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER')
    .optional()
    .describe('`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`; needed with a SASL protocol'),
  KAFKA_SASL_USERNAME: z
    .string()
    .optional()
    .describe('User for PLAIN and SCRAM; Confluent Cloud: the API key'),
  KAFKA_SASL_PASSWORD: z
    .string()
    .optional()
    .describe('Its password; Event Hubs: the connection string, with the user `$ConnectionString`'),
  KAFKA_OIDC_TOKEN_URL: url('https:')
    .optional()
    .describe(
      'Token endpoint for OAUTHBEARER; without it the Azure identity signs in (`event-hubs`), or the service account that the worker runs as (`google-cloud`)',
    ),
  KAFKA_OIDC_CLIENT_ID: z.string().optional().describe('Client that the token is asked for with'),
  KAFKA_OIDC_CLIENT_SECRET: z.string().optional().describe("The client's secret"),
  KAFKA_OIDC_SCOPE: z.string().optional().describe('Scope of the token, where the endpoint wants one'),
  KAFKA_CLIENT: oneOf('platformatic', 'kafkajs')
    .default('platformatic')
    .describe('Library that publishes: `platformatic` (@platformatic/kafka) or `kafkajs`'),
  KAFKA_COMPRESSION: oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd')
    .default('none')
    .describe('Of batches: `none`, `gzip`, `snappy`, `lz4` or `zstd`; too large ones are compressed anyway'),
  KAFKA_MAX_REQUEST_SIZE: integer(10_000, 100_000_000)
    .optional()
    .describe('Bytes of the largest request, where brokers cut the connection instead of refusing it'),
  KAFKA_TOPIC_CLEANUP_POLICY: oneOf('delete', 'compact', 'compact,delete')
    .default('delete')
    .describe('Of a topic that is created: `delete`, `compact` or `compact,delete`'),
  KAFKA_TOPIC_RETENTION_HOURS: integer(1, 1_000_000)
    .optional()
    .describe("Hours that a created topic keeps a record; default: the brokers'"),
  KAFKA_TOPIC_MAX_MESSAGE_BYTES: integer(1000, 1_000_000_000)
    .optional()
    .describe("Bytes of the largest batch that a created topic takes; default: the brokers'"),
};

/** Names of those that are never shown. */
export const secretKafkaSettings = [
  'KAFKA_SASL_PASSWORD',
  'KAFKA_SSL_KEY',
  'KAFKA_OIDC_CLIENT_SECRET',
] as const;

const shape = z.object(kafkaSettings);
export type KafkaSettings = z.output<typeof shape>;
type Name = keyof KafkaSettings;

/** Certificates are read once, at the start. */
function pem() {
  return z
    .string()
    .transform((value, context) => {
      if (value.includes('-----BEGIN ')) return value;
      try {
        const text = readFileSync(value, 'utf8');
        if (text.includes('-----BEGIN ')) return text;
        context.addIssue('the file holds no PEM');
      } catch {
        context.addIssue('must be PEM, or the path of a file that can be read');
      }
      return z.NEVER;
    })
    .optional();
}

/** Whether the platform that the profile names signs us in. */
function hasIdentity({ KAFKA_PROFILE }: KafkaSettings): boolean {
  return KAFKA_PROFILE === 'event-hubs' || KAFKA_PROFILE === 'google-cloud';
}

export function securityProtocolOf({ KAFKA_SECURITY_PROTOCOL, KAFKA_PROFILE }: KafkaSettings) {
  return KAFKA_SECURITY_PROTOCOL ?? (KAFKA_PROFILE ? 'SASL_SSL' : 'PLAINTEXT');
}

/** Settings that are missing beside others, or that nothing would come of; a line each, by the setting's name. */
export function contradictionsOf(settings: KafkaSettings): readonly { setting: Name; problem: string }[] {
  const protocol = securityProtocolOf(settings);
  const usesSasl = protocol.startsWith('SASL_');
  const usesTls = protocol.endsWith('SSL');
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  const usesPassword = usesSasl && mechanism !== undefined && mechanism !== 'OAUTHBEARER';
  const usesOidc = usesSasl && mechanism === 'OAUTHBEARER';
  const signIn = usesSasl ? `KAFKA_SASL_MECHANISM=${mechanism}` : `KAFKA_SECURITY_PROTOCOL=${protocol}`;
  const asksEndpoint = usesOidc && (settings.KAFKA_OIDC_TOKEN_URL !== undefined || !hasIdentity(settings));
  return [
    ...needed(settings, usesSasl, `with KAFKA_SECURITY_PROTOCOL=${protocol}`, ['KAFKA_SASL_MECHANISM']),
    ...needed(settings, usesPassword, `with KAFKA_SASL_MECHANISM=${mechanism}`, [
      'KAFKA_SASL_USERNAME',
      'KAFKA_SASL_PASSWORD',
    ]),
    ...needed(settings, asksEndpoint, 'with KAFKA_SASL_MECHANISM=OAUTHBEARER', [
      'KAFKA_OIDC_TOKEN_URL',
      'KAFKA_OIDC_CLIENT_ID',
      'KAFKA_OIDC_CLIENT_SECRET',
    ]),
    ...needed(settings, settings.KAFKA_SSL_CERT !== undefined, 'with KAFKA_SSL_CERT', ['KAFKA_SSL_KEY']),
    ...needed(settings, settings.KAFKA_SSL_KEY !== undefined, 'with KAFKA_SSL_KEY', ['KAFKA_SSL_CERT']),
    ...idle(settings, !usesTls, `KAFKA_SECURITY_PROTOCOL=${protocol}`, [
      'KAFKA_SSL_CA',
      'KAFKA_SSL_CERT',
      'KAFKA_SSL_KEY',
    ]),
    ...idle(settings, !usesSasl, `KAFKA_SECURITY_PROTOCOL=${protocol}`, ['KAFKA_SASL_MECHANISM']),
    ...idle(settings, !usesPassword, signIn, ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']),
    ...idle(settings, !usesOidc, signIn, [
      'KAFKA_OIDC_TOKEN_URL',
      'KAFKA_OIDC_CLIENT_ID',
      'KAFKA_OIDC_CLIENT_SECRET',
      'KAFKA_OIDC_SCOPE',
    ]),
    ...compressionProblems(settings),
  ];
}

function needed(settings: KafkaSettings, applies: boolean, where: string, names: readonly Name[]) {
  const missing = applies ? names.filter((name) => settings[name] === undefined) : [];
  return missing.map((setting) => ({ setting, problem: `is required ${where}` }));
}

/** Set, but not used: mostly a protocol that was forgotten, and so a password that nobody asks for. */
function idle(settings: KafkaSettings, applies: boolean, where: string, names: readonly Name[]) {
  const unused = applies ? names.filter((name) => settings[name] !== undefined) : [];
  return unused.map((setting) => ({ setting, problem: `has no meaning with ${where}` }));
}

function compressionProblems({ KAFKA_COMPRESSION, KAFKA_CLIENT, KAFKA_PROFILE }: KafkaSettings) {
  if (KAFKA_COMPRESSION === 'none' || KAFKA_COMPRESSION === 'gzip') return [];
  const setting: Name = 'KAFKA_COMPRESSION';
  if (KAFKA_PROFILE === 'event-hubs') return [{ setting, problem: 'Event Hubs takes none or gzip' }];
  if (KAFKA_CLIENT === 'kafkajs') return [{ setting, problem: 'KAFKA_CLIENT=kafkajs has none or gzip' }];
  return [];
}
