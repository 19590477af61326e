/** From settings to the connection that both clients take; profiles of managed services are here, and why. */
import { createGoogleKafkaTokens } from './google-tokens.ts';
import type { KafkaConnection, Sasl } from './kafka-connection.ts';
import { type KafkaSettings, securityProtocolOf } from './kafka-settings.ts';
import { createOidcTokens } from './oidc-tokens.ts';

type ProfileName = NonNullable<KafkaSettings['KAFKA_PROFILE']>;

type Profile = {
  readonly metadataMaxAgeMs: number;
  readonly connectionsMaxIdleMs: number | undefined;
  readonly maxRequestBytes: number | undefined;
  /** Whether topics may be created with the settings of a broker that is Kafka's own. */
  readonly takesTimestampType: boolean;
};

const OWN_KAFKA: Profile = {
  metadataMaxAgeMs: 60_000,
  // Half of what brokers allow by default (`connections.max.idle.ms`), which firewalls mostly allow too.
  connectionsMaxIdleMs: 300_000,
  maxRequestBytes: undefined,
  takesTimestampType: true,
};

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  // learn.microsoft.com/azure/event-hubs/apache-kafka-configurations: idle connections are closed after 240 s without a
  // word, and a request over 1,046,528 bytes closes its connection.
  'event-hubs': {
    metadataMaxAgeMs: 180_000,
    connectionsMaxIdleMs: 180_000,
    maxRequestBytes: 1_000_000,
    takesTimestampType: false,
  },
  'confluent-cloud': { ...OWN_KAFKA, metadataMaxAgeMs: 180_000 },
  'google-cloud': OWN_KAFKA,
};

export function profileOf({ KAFKA_PROFILE }: KafkaSettings): Profile {
  return KAFKA_PROFILE ? PROFILES[KAFKA_PROFILE] : OWN_KAFKA;
}

export type ConnectionSettings = KafkaSettings & {
  readonly KAFKA_BROKERS: readonly string[];
  readonly KAFKA_CLIENT_ID: string;
};

/** Of the Azure identity that the worker has anyway, for a scope. */
export type AzureToken = (scope: string) => Promise<string>;

/** The settings must be free of contradictions. */
export function connectionOf(settings: ConnectionSettings, azureToken: AzureToken): KafkaConnection {
  const protocol = securityProtocolOf(settings);
  const { metadataMaxAgeMs, connectionsMaxIdleMs } = profileOf(settings);
  return {
    brokers: settings.KAFKA_BROKERS,
    clientId: settings.KAFKA_CLIENT_ID,
    tls: protocol.endsWith('SSL') ? tlsOf(settings) : undefined,
    sasl: protocol.startsWith('SASL_') ? saslOf(settings, azureToken) : undefined,
    metadataMaxAgeMs,
    connectionsMaxIdleMs,
  };
}

function tlsOf({ KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key }: KafkaSettings) {
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

function saslOf(settings: ConnectionSettings, azureToken: AzureToken): Sasl {
  const { KAFKA_SASL_MECHANISM: mechanism = 'PLAIN' } = settings;
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: tokenSourceOf(settings, azureToken) };
  return {
    mechanism,
    username: settings.KAFKA_SASL_USERNAME ?? '',
    // A secret may be replaced while we run: read at every sign-in.
    get password() {
      return settings.KAFKA_SASL_PASSWORD ?? '';
    },
  };
}

function tokenSourceOf(settings: ConnectionSettings, azureToken: AzureToken): () => Promise<string> {
  const { KAFKA_OIDC_TOKEN_URL: tokenUrl } = settings;
  if (tokenUrl !== undefined) {
    return createOidcTokens({
      tokenUrl,
      clientId: settings.KAFKA_OIDC_CLIENT_ID ?? '',
      get clientSecret() {
        return settings.KAFKA_OIDC_CLIENT_SECRET ?? '';
      },
      scope: settings.KAFKA_OIDC_SCOPE,
    });
  }
  if (settings.KAFKA_PROFILE === 'google-cloud') return createGoogleKafkaTokens();
  const eventHubs = eventHubsScope(settings.KAFKA_BROKERS);
  return () => azureToken(eventHubs);
}

/** `contoso.servicebus.windows.net:9093` → the scope of that namespace; sovereign clouds differ in the domain only. */
export function eventHubsScope([broker = '']: readonly string[]): string {
  return `https://${broker.replace(/:\d+$/, '')}/.default`;
}
