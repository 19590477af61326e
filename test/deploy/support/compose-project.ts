/**
 * What `docker compose --profile demo up` starts, out of docker-compose.yml itself: the same images, commands,
 * environments, volumes, numbers of containers, order and health checks, in a network of its own.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ChildProcess, runProgram, type TopicRecord } from '@graph2kafka/test-harness';
import { onTestFinished } from 'vitest';
import { DOCKERFILES, IMAGE_NAMES, imageReference } from '../../../scripts/images/build-command.ts';
import { composeService, containerEnvironment, serviceNames } from '../../settings/compose-file.ts';
import type { BuiltImages } from './built-images.ts';
import { type Server, type ServerOptions, startKafka, startRedis } from './compose-servers.ts';
import { mountsOf } from './compose-volumes.ts';
import { Container } from './container.ts';
import { type Place, PrivateNetwork } from './private-network.ts';

export type ComposeOptions = {
  readonly images: BuiltImages;
  /** As .env would have it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Put behind the command of the simulator. */
  readonly simulatorOptions?: readonly string[];
};

type Instance = {
  readonly name: string;
  readonly service: string;
  readonly place: Place;
  /** All lines of its log. */
  readonly log: string[];
  container?: Container;
  server?: Server;
};

const ENABLED = 'demo';
const SERVERS: Readonly<Record<string, (options: ServerOptions) => Promise<Server>>> = {
  redis: startRedis,
  kafka: startKafka,
};
const BALANCER = resolve(import.meta.dirname, 'balancer.ts');
const PRINT_TOPIC = resolve(import.meta.dirname, 'print-topic.ts');
const HEALTHY_WITHIN_MS = 60_000;

export class ComposeProject {
  readonly dir: string;
  readonly #options: ComposeOptions;
  readonly #instances: readonly Instance[];
  readonly #started = new Map<string, Promise<void>>();

  /** All are healthy when this resolves; ended with the test. */
  static async start(options: ComposeOptions): Promise<ComposeProject> {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-project-'));
    await chmod(dir, 0o755);
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const network = await PrivateNetwork.start();
    onTestFinished(() => network.close());
    const instances: Instance[] = [];
    for (const service of serviceNames) {
      const { profiles, deploy } = composeService(service, options.environment);
      if (profiles !== undefined && !profiles.includes(ENABLED)) continue;
      for (let i = 1; i <= Number(deploy?.replicas ?? 1); i++) {
        instances.push({ name: `${service}-${i}`, service, place: await network.join(), log: [] });
      }
    }
    const balancer = await startBalancer(await network.join(), instances);
    const project = new ComposeProject(dir, options, instances);
    const names = instances.map(({ service, place }) => `${place.address} ${service}\n`);
    await writeFile(
      project.#hostsFile,
      ['127.0.0.1 localhost\n', ...names, `${balancer} balancer\n`].join(''),
    );
    await Promise.all(instances.map(({ service }) => project.#healthy(service)));
    return project;
  }

  private constructor(dir: string, options: ComposeOptions, instances: readonly Instance[]) {
    this.dir = dir;
    this.#options = options;
    this.#instances = instances;
  }

  get #hostsFile(): string {
    return join(this.dir, 'hosts');
  }

  instancesOf(service: string): readonly Instance[] {
    return this.#instances.filter((instance) => instance.service === service);
  }

  /** What a topic holds, read where the file lets clients of this machine in. */
  async records(topic: string): Promise<readonly TopicRecord[]> {
    const [kafka] = this.instancesOf('kafka');
    const [port] = (composeService('kafka').ports?.[0] ?? '').split(':').slice(-1);
    const words = [...(kafka?.place.into ?? []), process.execPath, PRINT_TOPIC, `127.0.0.1:${port}`, topic];
    const { stdout } = await runProgram(words[0] ?? '', words.slice(1));
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as TopicRecord);
  }

  /** Starts a service once all that it depends on is healthy; resolves when it is so itself. */
  #healthy(service: string): Promise<void> {
    const starting = this.#started.get(service) ?? this.#startService(service);
    this.#started.set(service, starting);
    return starting;
  }

  async #startService(service: string): Promise<void> {
    const { depends_on: needed = {}, healthcheck } = composeService(service, this.#options.environment);
    await Promise.all(Object.keys(needed).map((other) => this.#healthy(other)));
    for (const instance of this.instancesOf(service)) await this.#startInstance(instance);
    await Promise.all(
      this.instancesOf(service).map((instance) => untilHealthy(instance, healthcheck?.test.slice(1) ?? [])),
    );
  }

  async #startInstance(instance: Instance): Promise<void> {
    const { service: name, place, log } = instance;
    const service = composeService(name, this.#options.environment);
    const mounts = await mountsOf(service, this.dir);
    const environment = containerEnvironment(name, this.#options.environment);
    const start = SERVERS[name];
    if (start !== undefined) {
      const server = await start({ service, environment, mounts, place, hostsFile: this.#hostsFile });
      instance.server = server;
      onTestFinished(async () => {
        await server.process.stop();
      });
      return;
    }
    const image = IMAGE_NAMES.find((one) => DOCKERFILES[one] === service.build?.dockerfile);
    if (image === undefined) throw new Error(`${name} is none of our images`);
    const further = name === 'simulator' ? (this.#options.simulatorOptions ?? []) : [];
    const container = await Container.start({
      image: imageReference(image, this.#options.images),
      command: [...(service.command ?? []), ...further],
      environment,
      mounts: [...mounts, { source: this.#hostsFile, target: '/etc/hosts', readOnly: true }],
      into: place.into,
      onLine: (line) => log.push(line),
    });
    instance.container = container;
    onTestFinished(() => container.remove());
  }
}

/** @throws when it ends, or the time is over, before the program of its health check is content */
async function untilHealthy({ name, container, server }: Instance, probe: readonly string[]): Promise<void> {
  const running = container ?? server;
  if (running === undefined) throw new Error(`${name} was not started`);
  await running.process
    .waitUntil(() => running.exec(probe).then(() => true), {
      timeoutMs: HEALTHY_WITHIN_MS,
      intervalMs: 500,
    })
    .catch((cause: unknown) => {
      throw new Error(`${name} is not healthy`, { cause });
    });
}

/** What docs/operations.md asks for in front of several receivers. Resolves to its address. */
async function startBalancer(place: Place, instances: readonly Instance[]): Promise<string> {
  const { PORT = '' } = containerEnvironment('receiver');
  const receivers = instances.filter(({ service }) => service === 'receiver');
  const targets = receivers.map((receiver) => `${receiver.place.address}:${PORT}`);
  const [command = '', ...rest] = [...place.into, process.execPath, BALANCER, PORT, ...targets];
  const balancer = await ChildProcess.start({ name: 'balancer', command, arguments: rest });
  onTestFinished(async () => {
    await balancer.stop();
  });
  await balancer.waitForLine((line) => line === 'listening');
  return place.address;
}
