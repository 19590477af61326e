// The product's two services as processes of their own, told where their peers are; for the demo and for tests.
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ChildProcess, type ChildProcessOptions } from './child-process.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** What both services have to agree on. */
export interface StackSettings {
  readonly redisUrl: string;
  readonly brokers: string;
  /** Keeps runs that share a Redis apart. */
  readonly redisPrefix: string;
  readonly topic: string;
  readonly deadLetterTopic: string;
  readonly graph: {
    readonly url: string;
    /** PEM file of the authority that signed the simulator's certificate. */
    readonly caFile: string;
    readonly tenantId: string;
    readonly clientId: string;
    readonly clientSecret: string;
  };
  readonly onLine?: ChildProcessOptions['onLine'];
}

export interface Service {
  readonly process: ChildProcess;
  readonly port: number;
  readonly url: string;
}

/** Long enough to be accepted; secret to nobody, since these stacks live on loopback for minutes. */
export const LOCAL_CLIENT_STATE_SECRET = 'local-client-state-secret';
export const LOCAL_ADMIN_PASSWORD = 'local-admin';

/** Variables that would reach beyond the local stack if they were set in the developer's shell. */
const CLEARED = {
  KAFKA_TOPIC: undefined,
  SUBSCRIPTIONS_FILE: undefined,
  ADMIN_PASSWORD: undefined,
  NODE_ENV: undefined,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Starts a receiver on a free port (or PORT of `environment`); it listens when this resolves. */
export async function startReceiver(stack: StackSettings, environment: Environment = {}): Promise<Service> {
  const process = await startService('receiver', stack, {
    REDIS_URL: stack.redisUrl,
    REDIS_PREFIX: stack.redisPrefix,
    CLIENT_STATE_SECRETS: LOCAL_CLIENT_STATE_SECRET,
    PORT: '0',
    // Nothing stands in front of it that would have to learn that it ends.
    SHUTDOWN_DELAY_MS: '0',
    ...environment,
  });
  return serviceAt(process, await portOf(process, 'service.listening'));
}

export interface WorkerPlace {
  /** Where Graph reaches the receiver; absent: the worker makes no subscriptions. */
  readonly receiverUrl?: string;
  readonly subscriptionsFile?: string;
}

/** Starts a worker; its admin port listens when this resolves, and `url` is that port's. */
export async function startWorker(
  stack: StackSettings,
  { receiverUrl, subscriptionsFile }: WorkerPlace,
  environment: Environment = {},
): Promise<Service> {
  const { graph } = stack;
  const process = await startService('worker', stack, {
    ...CLEARED,
    REDIS_URL: stack.redisUrl,
    REDIS_PREFIX: stack.redisPrefix,
    CLIENT_STATE_SECRETS: LOCAL_CLIENT_STATE_SECRET,
    AZURE_TENANT_ID: graph.tenantId,
    AZURE_CLIENT_ID: graph.clientId,
    AZURE_CLIENT_SECRET: graph.clientSecret,
    AZURE_AUTHORITY_HOST: graph.url,
    GRAPH_URL: graph.url,
    GRAPH_SCOPE: 'https://graph.microsoft.com/.default',
    NODE_EXTRA_CA_CERTS: graph.caFile,
    SUBSCRIPTIONS_FILE: subscriptionsFile,
    NOTIFICATION_URL: receiverUrl && `${receiverUrl}/events`,
    LIFECYCLE_NOTIFICATION_URL: receiverUrl && `${receiverUrl}/lifecycle`,
    KAFKA_BROKERS: stack.brokers,
    KAFKA_TOPIC: stack.topic,
    KAFKA_DEAD_LETTER_TOPIC: stack.deadLetterTopic,
    KAFKA_CREATE_TOPICS: 'true',
    KAFKA_TOPIC_PARTITIONS: '4',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    ADMIN_PASSWORD: LOCAL_ADMIN_PASSWORD,
    ...environment,
  });
  return serviceAt(process, await portOf(process, 'admin.listening'));
}

export interface Services {
  readonly receiver: Service;
  readonly worker: Service;
  stop(): Promise<void>;
}

/** Starts one of each, with the calendars of these users wanted; files they need are put into `dir`. */
export async function startServices(
  stack: StackSettings,
  userIds: readonly string[],
  dir: string,
  environment: { readonly receiver?: Environment; readonly worker?: Environment } = {},
): Promise<Services> {
  const subscriptionsFile = join(dir, 'subscriptions.yaml');
  await writeFile(subscriptionsFile, calendarSubscriptions(userIds));
  const receiver = await startReceiver(stack, environment.receiver);
  try {
    const place = { receiverUrl: receiver.url, subscriptionsFile };
    const worker = await startWorker(stack, place, environment.worker);
    return {
      receiver,
      worker,
      async stop() {
        await Promise.all([receiver.process.stop(), worker.process.stop()]);
      },
    };
  } catch (error) {
    await receiver.process.stop();
    throw error;
  }
}

/** A `subscriptions.yaml` that wants the calendars of these users. */
export function calendarSubscriptions(userIds: readonly string[]): string {
  return [
    'subscriptions:',
    '  - name: calendars',
    '    resource: users/{user}/events',
    '    users:',
    ...userIds.map((id) => `      - ${id}`),
    '',
  ].join('\n');
}

function startService(
  name: string,
  { onLine }: StackSettings,
  environment: Environment,
): Promise<ChildProcess> {
  return ChildProcess.start({
    name,
    command: process.execPath,
    // kafkajs 2.2.4 sets a negative timer, of which Node 24 warns.
    arguments: [
      '--disable-warning=TimeoutNegativeWarning',
      join(REPOSITORY, 'services', name, 'src/main.ts'),
    ],
    environment,
    ...(onLine && { onLine }),
  });
}

/** The port that the service's log names in the line of this kind. */
async function portOf(service: ChildProcess, message: string): Promise<number> {
  const line = await service.waitForLine((text) => text.includes(`"message":"${message}"`));
  return (JSON.parse(line) as { port: number }).port;
}

function serviceAt(process: ChildProcess, port: number): Service {
  return { process, port, url: `http://127.0.0.1:${port}` };
}
