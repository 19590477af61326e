/** Settings of the worker, by the names of their environment variables. */
import { type Environment, flag, integer, list, sharedSettings, url, VERBATIM } from '@graph2kafka/shared';
import { z } from 'zod';
import { contradictionsOf, kafkaSettings, secretKafkaSettings } from './kafka/kafka-settings.ts';
import { keyPlaces } from './rich/key-places.ts';
import { SWEEP_ORPHANS } from './subscriptions/graph-list.ts';
import { CLOUD_NAMES } from './tenants/clouds.ts';

const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be a topic name: letters, digits, . _ -');
const guid = z.guid('must be a GUID').toLowerCase();

/** `off`: no listener. */
function adminPort() {
  const problem = 'must be a whole number from 0 to 65535, or off';
  return z
    .string()
    .regex(/^(off|\d{1,5})$/, problem)
    .transform((text) => (text === 'off' ? 'off' : Number(text)))
    .refine((port) => port === 'off' || port <= 65_535, problem);
}

export const workerSettings = z
  .object({
    ...sharedSettings,
    AZURE_TENANT_ID: guid.describe('Tenant whose changes are read (Entra: "Directory (tenant) ID")'),
    AZURE_CLIENT_ID: guid.describe('App registration that reads them (Entra: "Application (client) ID")'),
    AZURE_CLIENT_SECRET: z
      .string()
      .optional()
      .describe(
        'Its client secret; without one the platform signs in (managed identity, workload identity, Azure CLI)',
      ),
    AZURE_FEDERATION: z
      .enum(['google'], 'must be google')
      .optional()
      .describe(
        'Who vouches for the app instead of a client secret: `google`, the service account that the worker runs as on Google Cloud; without it what the platform offers',
      ),
    GRAPH_CLOUD: z
      .enum(CLOUD_NAMES, `must be ${CLOUD_NAMES.join(', ')}`)
      .default('global')
      .describe(
        "Microsoft's cloud: `global` (also GCC), `us-government` (GCC High), `us-government-dod`, `china`; says where Graph is, where to sign in, and who issues tokens",
      ),
    AZURE_AUTHORITY_HOST: url('https:')
      .optional()
      .describe("Where to sign in instead of at the cloud's own host, for the simulator"),
    GRAPH_URL: url('https:')
      .optional()
      .describe("Origin of Graph instead of the cloud's own; tokens go nowhere else"),
    GRAPH_SCOPE: z.string().optional().describe("Scope of the token instead of the cloud's own"),
    GRAPH_BATCHING: flag()
      .default(true)
      .describe('Whether fetches that come together are sent to Graph as one `$batch`, up to 20 of them'),
    // A tenth of what Graph takes for an answer, and longer than runs that start together take to their first fetch.
    GRAPH_BATCH_WAIT_MS: integer(0, 100).default(5).describe('How long a fetch waits for others to come'),
    GRAPH_BATCH_OUTLOOK_PARTS: integer(1, 20)
      .default(4)
      .describe(
        'Most mails, events and contacts in a `$batch`; Graph works 4 of them at once, more come later',
      ),
    SUBSCRIPTIONS_FILE: z
      .string()
      .optional()
      .describe('Path of subscriptions.yaml; without one no subscription is made or renewed')
      .meta(VERBATIM),
    NOTIFICATION_URL: url('https:', 'http:')
      .optional()
      .describe(
        "Public address of the receiver's /events, as Graph reaches it; needed with SUBSCRIPTIONS_FILE",
      ),
    LIFECYCLE_NOTIFICATION_URL: url('https:', 'http:')
      .optional()
      .describe('The same for /lifecycle; without it Graph cannot say that a subscription needs care'),
    RECONCILE_EVERY_MS: integer(1000, 3_600_000)
      .default(60_000)
      .describe('Time between looks at the subscriptions'),
    // `g2k apply` waits for 45 s for one that was killed. A change at Graph takes 10 s at most, signing in included
    // (`subscriptions-api.ts`), and is not begun in the last third of the lease.
    RECONCILE_LEASE_MS: integer(1000, 40_000)
      .default(30_000)
      .describe(
        'How long a silent reconciliation keeps other workers from it; after it one that was killed is gone on with. Under 30000 a slow call to Graph may outlive it',
      ),
    PEOPLE_EVERY_MS: integer(1000, 86_400_000)
      .default(300_000)
      .describe('Time between looks at who is in a group, found by a filter, or meant by a name'),
    SWEEP_ORPHANS: z
      .enum(SWEEP_ORPHANS, `must be ${SWEEP_ORPHANS.join(', ')}`)
      .default('certain')
      .describe(
        'Which subscriptions at Graph that nobody wants are deleted: `certain`: those with our clientState and our NOTIFICATION_URL; `likely`: with either; `off`: none',
      ),
    ENCRYPTION_KEYS: keyPlaces()
      .optional()
      .describe(
        'Keys of rich notifications, comma-separated: `file:/folder/` with a file {id}.pem for each, or `id=reference`',
      )
      .meta(VERBATIM),
    ENCRYPTION_CURRENT_KEY: z
      .string()
      .optional()
      .describe(
        'Id of the key that Graph is to encrypt for; without one the newest whose certificate has begun',
      ),
    KAFKA_BROKERS: list().describe('Bootstrap brokers, `host:port`, comma-separated'),
    KAFKA_CLIENT_ID: z.string().default('graph2kafka').describe("Name shown in the brokers' logs and quotas"),
    KAFKA_TOPIC: topicName
      .default('graph.events')
      .describe('Topic of records, where a subscription names none'),
    KAFKA_DEAD_LETTER_TOPIC: topicName
      .default('graph.events.dlq')
      .describe('Topic of what could not become a record'),
    KAFKA_RECORD_MODE: z
      .enum(['structured', 'binary'], 'must be structured or binary')
      .default('structured')
      .describe(
        'structured: the value is the whole CloudEvent; binary: its data, the attributes are headers',
      ),
    KAFKA_TOMBSTONES: flag()
      .default(false)
      .describe('Whether a deletion is followed by a record without a value, for compacted topics'),
    KAFKA_DEAD_LETTER_PAYLOAD: z
      .enum(['notification', 'none'], 'must be notification or none')
      .default('notification')
      .describe('What a dead letter shows of the notification: its known fields, or nothing'),
    KAFKA_SCHEMA_REGISTRY_URL: url('https:', 'http:')
      .refine((text) => !URL.parse(text)?.username, 'must hold no user; that is KAFKA_SCHEMA_REGISTRY_USER')
      .optional()
      .describe(
        "Schema registry with Confluent's API; values then begin with the id of their schema, else they are plain JSON",
      ),
    KAFKA_SCHEMA_REGISTRY_USER: z
      .string()
      .optional()
      .describe('User of the schema registry; Confluent Cloud: the API key'),
    KAFKA_SCHEMA_REGISTRY_PASSWORD: z.string().optional().describe('Its password'),
    KAFKA_SCHEMA_REGISTRY_REGISTER: flag()
      .default(true)
      .describe('Whether schemas are registered; else those that are missing are an error'),
    KAFKA_CREATE_TOPICS: flag()
      .default(false)
      .describe('Whether missing topics are created; else they are an error'),
    KAFKA_TOPIC_PARTITIONS: integer(1, 10_000).default(12).describe('Partitions of a topic that is created'),
    KAFKA_TOPIC_REPLICATION: z
      .string()
      .regex(/^(-1|[1-9])$/, 'must be -1 or 1 to 9')
      .transform(Number)
      .default(-1)
      .describe("Replicas of a topic that is created; -1 is the brokers' default"),
    ...kafkaSettings,
    WORKER_ROLE: z
      .enum(['worker', 'admin'], 'must be worker or admin')
      .default('worker')
      .describe(
        'What this one does: `worker` works and has the admin port; `admin` has the admin port alone: pages and metrics of the whole deployment, no work',
      ),
    ADMIN_PORT: adminPort()
      .default(9090)
      .describe(
        'Port of status page, Bull Board, metrics; never public; `off`: none; where it is not set and PORT is, that one',
      ),
    ADMIN_HOST: z.string().default('0.0.0.0').describe('Address that the admin port listens on'),
    ADMIN_USER: z.string().default('admin').describe('User of status page and Bull Board'),
    ADMIN_PASSWORD: z
      .string()
      .min(8, 'must have at least 8 characters')
      .optional()
      .describe('Password of status page and Bull Board; without one they are off'),
    ADMIN_READ_ONLY: flag()
      .default(true)
      .describe(
        'Whether Bull Board only shows; else whoever has the password may remove, retry and pause there',
      ),
    WORKER_CONCURRENCY: integer(1, 1000).default(32).describe('Owners worked at once by one worker'),
    OWNER_LEASE_MS: integer(500, 120_000)
      .default(10_000)
      .describe("How long a silent run keeps its owner; a killed worker's owners are taken over after it"),
    OWNER_WINDOW: integer(1, 1000).default(50).describe('Resources of an owner taken in one run'),
  })
  .refine((config) => config.SUBSCRIPTIONS_FILE === undefined || config.NOTIFICATION_URL !== undefined, {
    path: ['NOTIFICATION_URL'],
    message: 'is required with SUBSCRIPTIONS_FILE',
  })
  .refine((config) => config.ENCRYPTION_CURRENT_KEY === undefined || config.ENCRYPTION_KEYS !== undefined, {
    path: ['ENCRYPTION_KEYS'],
    message: 'is required with ENCRYPTION_CURRENT_KEY',
  })
  .refine((config) => config.AZURE_FEDERATION === undefined || config.AZURE_CLIENT_SECRET === undefined, {
    path: ['AZURE_FEDERATION'],
    message: 'has no meaning with AZURE_CLIENT_SECRET',
  })
  .refine((config) => config.WORKER_ROLE === 'worker' || config.ADMIN_PORT !== 'off', {
    path: ['ADMIN_PORT'],
    message: 'must be a port with WORKER_ROLE=admin, which has nothing else',
  })
  .superRefine((config, context) => {
    for (const { setting, problem } of contradictionsOf(config)) {
      context.addIssue({ code: 'custom', path: [setting], message: problem });
    }
  });

/** Cloud Run says by PORT where it asks and sends requests, and knows nothing of ADMIN_PORT. */
export function withPlatformPort(environment: Environment): Environment {
  const { ADMIN_PORT: own, PORT: given } = environment;
  return own || !given ? environment : { ...environment, ADMIN_PORT: given };
}

export type WorkerConfig = z.output<typeof workerSettings>;

/** Never shown, not even at start-up. A Redis URL may hold a password. */
export const secretSettings = [
  'REDIS_URL',
  'CLIENT_STATE_SECRETS',
  'AZURE_CLIENT_SECRET',
  'KAFKA_SCHEMA_REGISTRY_PASSWORD',
  ...secretKafkaSettings,
  'ADMIN_PASSWORD',
] as const;

/** `ENCRYPTION_KEYS` has a form of references of its own, and may hold keys. */
export const hiddenSettings = [...secretSettings, 'ENCRYPTION_KEYS'] as const;

/** Each counts from the moment on in which it was replaced; a change of any other setting counts at the next start. */
const replaceable: readonly string[] = [
  'CLIENT_STATE_SECRETS',
  'AZURE_CLIENT_SECRET',
  'KAFKA_SASL_PASSWORD',
  'KAFKA_OIDC_CLIENT_SECRET',
  'ADMIN_PASSWORD',
];

export const settingsAtStart = Object.keys(workerSettings.shape).filter(
  (name) => !replaceable.includes(name),
);
