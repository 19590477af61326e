// A real Kafka broker, one KRaft node, for a local run or a test; and the faults it can have.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildProcess, type StopOptions } from './child-process.ts';
import { freePort } from './free-port.ts';
import { ensureKafkaJars } from './kafka-jars.ts';
import { ensureClassArchive, javaArguments } from './kafka-java.ts';
import { isServing } from './kafka-requests.ts';
import type { OnProgress } from './progress.ts';
import { runProgram } from './run-program.ts';

export interface KafkaBrokerOptions {
  /** Holds settings and data; made where it does not exist. One broker at a time. */
  readonly dir: string;
  /** Default: a free one. */
  readonly port?: number;
  /**
   * Opens a second listener, on `portBehindProxy`, whose clients are told that the broker is at this port of
   * 127.0.0.1: a proxy put there sees all their connections, while `brokers` stays the direct way.
   */
  readonly proxyPort?: number;
  /** Further listeners, each on a free port of 127.0.0.1, beside the plain one of `brokers`. */
  readonly listeners?: readonly KafkaListener[];
  /** Users that may sign in with SCRAM. */
  readonly scramUsers?: readonly ScramUser[];
  /** The broker joins this one's cluster, whose controller stays where it is. Default: a cluster of its own. */
  readonly joins?: KafkaBroker;
  /** Settings of server.properties; they win over ours. */
  readonly extraProperties?: Readonly<Record<string, string>>;
  /** Put after ours, which favour a quick start; for a long run under load e.g. `['-XX:TieredStopAtLevel=4']`. */
  readonly jvmOptions?: readonly string[];
  /** A folder for Kafka's jars, filled where it does not exist. Default: one for all brokers of this repository. */
  readonly libDir?: string;
  readonly onProgress?: OnProgress;
}

export interface KafkaListener {
  /** Capital letters; another one than DIRECT, PROXIED and CONTROLLER. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Settings of this listener, without `listener.name.{name}.` in front. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface ScramUser {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly name: string;
  readonly password: string;
}

interface Ports {
  readonly clients: number;
  readonly controller: number;
  readonly behindProxy: number;
  /** By the names of `listeners`. */
  readonly further: Readonly<Record<string, number>>;
}

interface Setup {
  readonly libDir: string;
  readonly dir: string;
  readonly options: KafkaBrokerOptions;
}

// 22 characters, as Kafka wants it; any will do, since our brokers never meet.
const CLUSTER_ID = 'graph2kafkaLocalBroker';
// Of ports that we chose ourselves and that another process took before Kafka bound them.
const MAX_PORTS_TRIED = 5;
const PROBE_TIMEOUT_MS = 2_000;

export class KafkaBroker {
  readonly port: number;
  /** Undefined without `proxyPort`. */
  readonly portBehindProxy: number | undefined;
  /** The folder of Kafka's jars. */
  readonly libDir: string;
  readonly #setup: Setup;
  readonly #ports: Ports;
  #process: ChildProcess;

  /**
   * Returns when the broker answers as one that can create topics: about 1.5 s, and some seconds more the very
   * first time on a machine. @throws when it cannot start; the text holds its last lines
   */
  static async start(options: KafkaBrokerOptions): Promise<KafkaBroker> {
    const libDir = await ensureKafkaJars(options.onProgress, options.libDir);
    await ensureClassArchive(libDir, async (jvmOption, scratchFolder) => {
      options.onProgress?.('Preparing Kafka for quick starts (some seconds, this once)');
      await runOnce({
        libDir,
        dir: scratchFolder,
        options: { dir: scratchFolder, jvmOptions: [jvmOption] },
      });
    });
    const setup = { libDir, dir: options.dir, options };
    const { ports, process } = await firstLaunch(setup);
    return new KafkaBroker(setup, ports, process);
  }

  private constructor(setup: Setup, ports: Ports, process: ChildProcess) {
    this.port = ports.clients;
    this.portBehindProxy = setup.options.proxyPort === undefined ? undefined : ports.behindProxy;
    this.libDir = setup.libDir;
    this.#setup = setup;
    this.#ports = ports;
    this.#process = process;
  }

  /** As clients take it: `127.0.0.1:port`. */
  get brokers(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `127.0.0.1:port` of one of `listeners`. @throws where there is none of the name */
  addressOf(listener: string): string {
    const port = this.#ports.further[listener];
    if (port === undefined) throw new Error(`This broker has no listener ${listener}`);
    return `127.0.0.1:${port}`;
  }

  /** Where the controller of its cluster listens, for another broker that joins. */
  get controllerPort(): number {
    return this.#setup.options.joins?.controllerPort ?? this.#ports.controller;
  }

  /** 1, or the next one of the cluster that it joined. */
  get nodeId(): number {
    return nodeIdOf(this.#setup.options);
  }

  /** Another one after each restart. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Its warnings and errors. */
  lines(): readonly string[] {
    return this.#process.lines();
  }

  /** SIGTERM, then SIGKILL; safe to call twice. */
  async stop(options?: StopOptions): Promise<void> {
    await this.#process.stop(options);
  }

  async kill9(): Promise<void> {
    await this.#process.kill9();
  }

  /** It accepts connections (the kernel does) and answers nothing. */
  freeze(): void {
    this.#process.freeze();
  }

  thaw(): void {
    this.#process.thaw();
  }

  /** Stops it where it still runs, and starts it with the same folder, ports and settings. */
  async restart(): Promise<void> {
    await this.stop();
    this.#process = await launch(this.#setup, this.#ports);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function firstLaunch(setup: Setup): Promise<{ ports: Ports; process: ChildProcess }> {
  await mkdir(setup.dir, { recursive: true });
  for (let tried = 1; ; tried++) {
    const ports = await choosePorts(setup.options);
    await writeFile(propertiesFile(setup), serverProperties(setup, ports));
    await formatStorage(setup);
    try {
      return { ports, process: await launch(setup, ports) };
    } catch (error) {
      if (tried >= MAX_PORTS_TRIED || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** A whole life of a broker, start and orderly stop. */
async function runOnce(setup: Setup): Promise<void> {
  const { process } = await firstLaunch(setup);
  // Java writes its class archive on the way out: 3 s on two cores, far more where many start at once.
  await process.stop({ graceMs: 60_000 });
}

async function choosePorts(options: KafkaBrokerOptions): Promise<Ports> {
  const further: [string, number][] = [];
  for (const { name } of options.listeners ?? []) further.push([name, await freePort()]);
  return {
    clients: options.port ?? (await freePort()),
    controller: await freePort(),
    behindProxy: await freePort(),
    further: Object.fromEntries(further),
  };
}

function nodeIdOf({ joins }: KafkaBrokerOptions): number {
  return joins ? joins.nodeId + 1 : 1;
}

async function formatStorage(setup: Setup): Promise<void> {
  if (existsSync(join(setup.dir, 'data', 'meta.properties'))) return;
  const args = await javaArguments({
    libDir: setup.libDir,
    mainClass: 'kafka.tools.StorageTool',
    arguments: [
      'format',
      ...['--cluster-id', CLUSTER_ID],
      ...['--config', propertiesFile(setup)],
      ...(setup.options.scramUsers ?? []).flatMap(scramArguments),
    ],
  });
  await runProgram('java', args);
}

function scramArguments({ mechanism, name, password }: ScramUser): string[] {
  return ['--add-scram', `${mechanism}=[name=${name},password=${password}]`];
}

async function launch(setup: Setup, ports: Ports): Promise<ChildProcess> {
  const process = await ChildProcess.start({
    name: `Kafka on port ${ports.clients}`,
    command: 'java',
    arguments: await javaArguments({
      libDir: setup.libDir,
      mainClass: 'kafka.Kafka',
      arguments: [propertiesFile(setup)],
      jvmOptions: ['-Xmx512m', ...(setup.options.jvmOptions ?? [])],
    }),
  });
  try {
    const address = { host: '127.0.0.1', port: ports.clients };
    await process.waitUntil(() => isServing(address, PROBE_TIMEOUT_MS), { timeoutMs: 60_000 });
    return process;
  } catch (error) {
    await process.kill9();
    throw error;
  }
}

function propertiesFile(setup: Setup): string {
  return join(setup.dir, 'server.properties');
}

function serverProperties({ dir, options }: Setup, ports: Ports): string {
  const settings = {
    ...listenerSettings(options, ports),
    'process.roles': options.joins ? 'broker' : 'broker,controller',
    'node.id': String(nodeIdOf(options)),
    'log.dirs': join(dir, 'data'),
    // The product creates its topics itself, and must notice where one is missing.
    'auto.create.topics.enable': 'false',
    ...singleNodeSettings,
    ...smallMachineSettings,
    ...options.extraProperties,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function listenerSettings(options: KafkaBrokerOptions, ports: Ports): Record<string, string> {
  const further = options.listeners ?? [];
  const clients = [
    { name: 'DIRECT', protocol: 'PLAINTEXT', port: ports.clients, toldPort: ports.clients },
    ...(options.proxyPort === undefined
      ? []
      : [{ name: 'PROXIED', protocol: 'PLAINTEXT', port: ports.behindProxy, toldPort: options.proxyPort }]),
    ...further.map(({ name, protocol }) => {
      const port = ports.further[name];
      return { name, protocol, port, toldPort: port };
    }),
  ];
  const controllerPort = options.joins?.controllerPort ?? ports.controller;
  const controller = options.joins ? [] : [`CONTROLLER://127.0.0.1:${controllerPort}`];
  const protocols = clients.map(({ name, protocol }) => `${name}:${protocol}`);
  return {
    listeners: [...clients.map(({ name, port }) => `${name}://127.0.0.1:${port}`), ...controller].join(','),
    'advertised.listeners': clients.map(({ name, toldPort }) => `${name}://127.0.0.1:${toldPort}`).join(','),
    'listener.security.protocol.map': [...protocols, 'CONTROLLER:PLAINTEXT'].join(','),
    'inter.broker.listener.name': 'DIRECT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    ...Object.assign({}, ...further.map(ownSettings)),
  };
}

function ownSettings({ name, properties = {} }: KafkaListener): Record<string, string> {
  const prefix = `listener.name.${name.toLowerCase()}.`;
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [prefix + key, value]));
}

// Kafka's own topics cannot have three replicas here, and need not be split.
const singleNodeSettings = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  // After kill -9 the controller lets the broker back in when the session of its former life is over: 9 s by default.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
  // Production waits 3 s for further members before a group's first assignment.
  'group.initial.rebalance.delay.ms': '0',
};

const smallMachineSettings = {
  'num.network.threads': '2',
  'num.io.threads': '4',
  'background.threads': '2',
  // 128 MB by default, taken and zeroed at the start.
  'log.cleaner.dedupe.buffer.size': '4194304',
};
