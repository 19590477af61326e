/** Our three images as containers in this machine's network, beside a Redis and a Kafka, from Graph to topic. */
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  calendarSubscriptions,
  eventually,
  freePort,
  KafkaBroker,
  LOCAL_CLIENT_STATE_SECRET,
  RedisServer,
  readTopic,
} from '@graph2kafka/test-harness';
import { onTestFinished } from 'vitest';
import { imageReference } from '../../../scripts/images/build-command.ts';
import type { BuiltImages } from './built-images.ts';
import { Container, type ContainerOptions } from './container.ts';
import { controlGraph, type SimulatedGraph } from './simulated-graph.ts';

export type ContainersPipeline = {
  /** In the order in which they started. */
  readonly containers: readonly Container[];
  readonly graph: SimulatedGraph;
  /** The CloudEvent of an event's record, once it is in the topic. */
  recordOf(eventId: string): Promise<Record<string, unknown>>;
};

const TENANT = { id: randomUUID(), clientId: randomUUID(), secret: 'simulator-client-secret' };
/** The number of `node` in the images. */
const NODE_UID = 1000;

/** Ended with the test; resolves when there is a subscription for the one user. */
export async function startContainers(images: BuiltImages): Promise<ContainersPipeline> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-containers-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await chmod(dir, 0o755);
  const [redis, kafka] = await Promise.all([
    RedisServer.start({ dir: join(dir, 'redis') }),
    KafkaBroker.start({ dir: join(dir, 'kafka') }),
  ]);
  onTestFinished(() => Promise.all([redis.stop(), kafka.stop()]).then(() => undefined));
  const containers: Container[] = [];
  const start = async (
    options: Omit<ContainerOptions, 'image'> & { name: Parameters<typeof imageReference>[0] },
  ) => {
    const container = await Container.start({ ...options, image: imageReference(options.name, images) });
    onTestFinished(() => container.remove());
    containers.push(container);
    return container;
  };
  const ports = { graph: await freePort(), receiver: await freePort(), admin: await freePort() };
  const ca = await makeFolderForNode(dir, 'simulator');
  await startSimulator(start, ports.graph, ca);
  const shared = { REDIS_URL: redis.url, CLIENT_STATE_SECRETS: LOCAL_CLIENT_STATE_SECRET };
  const receiver = await start({
    name: 'receiver',
    environment: { ...shared, PORT: String(ports.receiver) },
  });
  await receiver.process.waitForLine((line) => line.includes('"service.listening"'));
  const graph = controlGraph(`127.0.0.1:${ports.graph}`, await readFile(join(ca, 'ca.pem'), 'utf8'));
  const wanted = await makeFolderForNode(dir, 'wanted');
  const [user] = await graph.users();
  await writeFile(join(wanted, 'subscriptions.yaml'), calendarSubscriptions([user?.id ?? '']));
  await start({
    name: 'worker',
    environment: { ...shared, ...workerEnvironment(ports, kafka.brokers) },
    mounts: [
      { source: ca, target: '/run/simulator', readOnly: true },
      { source: wanted, target: '/etc/graph2kafka', readOnly: true },
    ],
  });
  await eventually(() => graph.subscriptions(), { timeoutMs: 30_000 });
  return { containers, graph, recordOf: (id) => recordIn(kafka.brokers, id) };
}

async function makeFolderForNode(dir: string, name: string): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  await chown(folder, NODE_UID, NODE_UID);
  return folder;
}

async function startSimulator(
  start: (options: Omit<ContainerOptions, 'image'> & { name: 'graph-simulator' }) => Promise<Container>,
  port: number,
  caFolder: string,
): Promise<void> {
  const simulator = await start({
    name: 'graph-simulator',
    command: [
      `--port=${port}`,
      `--tenant-id=${TENANT.id}`,
      `--client-id=${TENANT.clientId}`,
      `--client-secret=${TENANT.secret}`,
      '--users=1',
      '--rate=0',
      '--ca-file=/run/simulator/ca.pem',
    ],
    mounts: [{ source: caFolder, target: '/run/simulator' }],
  });
  await simulator.process.waitForLine((line) => line.startsWith('ready '));
}

function workerEnvironment(
  ports: { readonly graph: number; readonly receiver: number; readonly admin: number },
  brokers: string,
): Record<string, string> {
  const graphUrl = `https://127.0.0.1:${ports.graph}`;
  const receiverUrl = `http://127.0.0.1:${ports.receiver}`;
  return {
    AZURE_TENANT_ID: TENANT.id,
    AZURE_CLIENT_ID: TENANT.clientId,
    AZURE_CLIENT_SECRET: TENANT.secret,
    AZURE_AUTHORITY_HOST: graphUrl,
    GRAPH_URL: graphUrl,
    NODE_EXTRA_CA_CERTS: '/run/simulator/ca.pem',
    NOTIFICATION_URL: `${receiverUrl}/events`,
    LIFECYCLE_NOTIFICATION_URL: `${receiverUrl}/lifecycle`,
    SUBSCRIPTIONS_FILE: '/etc/graph2kafka/subscriptions.yaml',
    KAFKA_BROKERS: brokers,
    KAFKA_CREATE_TOPICS: 'true',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: String(ports.admin),
  };
}

async function recordIn(brokers: string, eventId: string): Promise<Record<string, unknown>> {
  return eventually(
    async () => {
      const records = await readTopic({ brokers, topic: 'graph.events' });
      const found = records.find(
        ({ key }) => key?.endsWith(`/events/${eventId.toLowerCase()}`) || key?.endsWith(`/events/${eventId}`),
      );
      return found ? (JSON.parse(found.value ?? '{}') as Record<string, unknown>) : (null as never);
    },
    { timeoutMs: 20_000, intervalMs: 200 },
  );
}
