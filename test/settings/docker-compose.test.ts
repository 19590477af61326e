// docker-compose.yml and the Dockerfiles: what they set is known, what they start is there, and what must match does.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_TENANT_ID } from '@graph2kafka/graph-simulator';
import { connectPatient, durabilityProblems, memoryShare, parseConfig } from '@graph2kafka/shared';
import { RedisServer } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCommandLine } from '../../packages/graph-simulator/src/command-line.ts';
import { receiverSettings } from '../../services/receiver/src/config.ts';
import { workerSettings } from '../../services/worker/src/config.ts';
import { composeService, containerEnvironment, serviceNames } from './compose-file.ts';
import { readDockerfile } from './dockerfile.ts';
import { isInRepository, readRepositoryFile } from './repository-file.ts';

/** .env as somebody with a tenant fills it in; the tenant signs in by managed identity. */
const REAL = {
  ...parseEnv(readRepositoryFile('.env.example')),
  AZURE_TENANT_ID: '11111111-2222-3333-4444-555555555555',
  AZURE_CLIENT_ID: '66666666-7777-8888-9999-000000000000',
  NOTIFICATION_URL: 'https://receiver.contoso.example/events',
  CLIENT_STATE_SECRETS: 'kept-in-a-safe-place',
};

const SERVICES = { receiver: receiverSettings, worker: workerSettings };
const BUILT = serviceNames.filter((name) => composeService(name).build !== undefined);
const OF_NODE = 'NODE_EXTRA_CA_CERTS';
/** Docker ends what has not ended so long after SIGTERM, where `stop_grace_period` says nothing. */
const DOCKER_GRACE_MS = 10_000;
/** From the end of the grace to the end of the process (packages/shared/src/shutdown.ts). */
const FLUSH_MS = 500;

const portOf = (url: string) => new URL(url).port;

describe.each(Object.entries(SERVICES))('the environment of the %s', (name, schema) => {
  it('is valid for the demonstration', () => {
    expect(() => parseConfig(schema, containerEnvironment(name))).not.toThrow();
  });

  it('is valid with a filled copy of .env.example', () => {
    expect(() => parseConfig(schema, containerEnvironment(name, REAL))).not.toThrow();
  });

  it('has all settings of the service, and no other', () => {
    const names = Object.keys(containerEnvironment(name)).filter((variable) => variable !== OF_NODE);
    expect(names.sort()).toEqual(Object.keys(schema.shape).sort());
  });

  it('refuses a tenant of its own with the secret of the demonstration', () => {
    expect(() => containerEnvironment(name, { AZURE_TENANT_ID: REAL.AZURE_TENANT_ID })).toThrow(
      'CLIENT_STATE_SECRETS has to be set in .env',
    );
  });

  it('leaves time to end before Docker kills', () => {
    const { SHUTDOWN_GRACE_MS } = parseConfig(schema, containerEnvironment(name));
    expect(composeService(name).stop_grace_period).toBeUndefined();
    expect(SHUTDOWN_GRACE_MS + FLUSH_MS).toBeLessThan(DOCKER_GRACE_MS);
  });
});

describe('a tenant of one’s own', () => {
  it('meets nothing of the demonstration', () => {
    const values = Object.values(SERVICES).flatMap((_, i) =>
      Object.values(containerEnvironment(Object.keys(SERVICES)[i] ?? '', REAL)),
    );
    expect(values.filter((value) => /simulator|demo/.test(value ?? ''))).toEqual([]);
  });

  it('starts without the simulator', () => {
    expect(composeService('simulator').profiles).toEqual(['demo']);
    expect(composeService('worker').depends_on?.simulator?.required).toBe(false);
  });
});

describe.each(BUILT)('the image of the %s', (name) => {
  const { build, entrypoint } = composeService(name);
  const dockerfile = build?.dockerfile ?? '';
  const image = readDockerfile(dockerfile);

  it('starts the program of this repository, without a shell and as node', () => {
    expect(image.user).toBe('node');
    expect(image.entrypoint?.[0]).toBe('node');
    expect(image.program).toBe(join(dirname(dockerfile), 'src/main.ts'));
    expect(isInRepository(image.program)).toBe(true);
  });

  it('starts it as the command for this machine does, except that its settings come from Compose', () => {
    const { scripts } = JSON.parse(readRepositoryFile('package.json'));
    const words = String(scripts[name]).split(' ');
    expect(words.filter((word) => !word.startsWith('--env-file'))).toEqual([
      ...(image.entrypoint?.slice(0, -1) ?? []),
      image.program,
    ]);
  });

  it('is started by docker-compose.yml as it is', () => {
    expect(entrypoint).toBeUndefined();
    expect(build?.context).toBe('.');
  });

  it('is built from files that are there', () => {
    expect(image.copied.length).toBeGreaterThan(0);
    expect(image.copied.filter((path) => !isInRepository(path))).toEqual([]);
  });

  it('runs the Node that this repository pins', () => {
    const { devDependencies } = JSON.parse(readRepositoryFile('package.json'));
    const major = String(devDependencies.node).replace(/\D*(\d+).*/, '$1');
    expect(image.from).toBe(`docker.io/library/node:${major}-bookworm-slim`);
  });
});

describe('the simulator', () => {
  const command = parseCommandLine(composeService('simulator').command ?? []);
  if (command === 'help') throw new Error('it is only asked for help');
  const demo = containerEnvironment('worker');

  it('is where the worker looks for Graph, under a name of its certificate', () => {
    for (const url of [demo.GRAPH_URL, demo.AZURE_AUTHORITY_HOST]) {
      expect(command.options.hostNames).toContain(new URL(url ?? '').hostname);
      expect(Number(portOf(url ?? ''))).toBe(command.options.port);
    }
  });

  it('knows the tenant, the app and the secret that the worker signs in with', () => {
    expect([demo.AZURE_TENANT_ID, demo.AZURE_CLIENT_ID, demo.AZURE_CLIENT_SECRET]).toEqual([
      DEFAULT_TENANT_ID,
      DEFAULT_CLIENT_ID,
      DEFAULT_CLIENT_SECRET,
    ]);
  });

  it('writes its authority where the worker reads it, on a volume of both', () => {
    expect(demo[OF_NODE]).toBe(command.caFile);
    const folder = dirname(command.caFile ?? '');
    expect(composeService('simulator').volumes).toContain(`simulator-ca:${folder}`);
    expect(composeService('worker').volumes).toContainEqual(
      expect.objectContaining({ source: 'simulator-ca', target: folder, read_only: true }),
    );
  });

  it('posts to the receiver', () => {
    const { PORT } = containerEnvironment('receiver');
    expect(demo.NOTIFICATION_URL).toBe(`http://receiver:${PORT}/events`);
    expect(demo.LIFECYCLE_NOTIFICATION_URL).toBe(`http://receiver:${PORT}/lifecycle`);
  });
});

describe('the stack', () => {
  it('gives the worker the file of wanted subscriptions where its setting says', () => {
    const source = { demo: './subscriptions.example.yaml', real: './subscriptions.yaml' };
    const mount = (path: string) =>
      expect.objectContaining({ source: path, target: containerEnvironment('worker').SUBSCRIPTIONS_FILE });
    expect(isInRepository(source.demo)).toBe(true);
    expect(composeService('worker').volumes).toContainEqual(mount(source.demo));
    expect(composeService('worker', REAL).volumes).toContainEqual(mount(source.real));
  });

  it('opens one port to others: the receiver’s', () => {
    const open = serviceNames.filter((name) =>
      (composeService(name).ports ?? []).some((port) => !port.startsWith('127.0.0.1:')),
    );
    expect(open).toEqual(['receiver']);
  });

  it('publishes ports at which the programs listen', () => {
    const targets = (name: string) => composeService(name).ports?.map((port) => port.split(':').at(-1));
    expect(targets('receiver')).toEqual([containerEnvironment('receiver').PORT]);
    expect(targets('worker')).toEqual([containerEnvironment('worker').ADMIN_PORT]);
  });

  it('can run several receivers and workers', () => {
    expect(serviceNames.filter((name) => composeService(name).container_name)).toEqual([]);
    expect(composeService('worker').ports).toEqual(['127.0.0.1:9090-9099:9090']);
    expect(composeService('receiver', { RECEIVER_PORTS: '8080-8089' }).ports).toEqual(['8080-8089:8080']);
  });

  it('waits only for services that tell their health', () => {
    const awaited = serviceNames.flatMap((name) => Object.entries(composeService(name).depends_on ?? {}));
    expect(awaited.length).toBeGreaterThan(0);
    for (const [name, { condition }] of awaited) {
      expect.soft(condition).toBe('service_healthy');
      expect.soft(composeService(name).healthcheck?.test[0], name).toBe('CMD');
    }
  });

  it('asks the services’ own readiness', () => {
    const probeOf = (name: string) => composeService(name).healthcheck?.test.at(-1);
    expect(probeOf('receiver')).toContain(`http://127.0.0.1:${containerEnvironment('receiver').PORT}/readyz`);
    expect(probeOf('worker')).toContain(
      `http://127.0.0.1:${containerEnvironment('worker').ADMIN_PORT}/readyz`,
    );
  });

  it('has a Kafka that tells clients the address that the worker is given', () => {
    const { KAFKA_ADVERTISED_LISTENERS } = containerEnvironment('kafka');
    expect(KAFKA_ADVERTISED_LISTENERS?.split(',')).toContain(
      `INTERNAL://${containerEnvironment('worker').KAFKA_BROKERS}`,
    );
  });

  it('has a Redis that is durable as the services demand, with a limit of its memory', async () => {
    const [program, ...options] = composeService('redis').command ?? [];
    expect(program).toBe('redis-server');
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-compose-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const server = await RedisServer.start({ dir, appendfsync: 'no', extraArguments: options });
    onTestFinished(() => server.stop());
    const redis = connectPatient(server.url, () => undefined);
    onTestFinished(() => redis.disconnect());
    const { REDIS_DURABILITY } = parseConfig(receiverSettings, containerEnvironment('receiver'));
    expect(await durabilityProblems(redis, REDIS_DURABILITY)).toEqual([]);
    expect(await memoryShare(redis)).toBeGreaterThan(0);
  });
});
