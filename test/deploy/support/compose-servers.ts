/**
 * Redis and Kafka as docker-compose.yml starts them, by the programs of this machine in place of images: their command
 * lines, settings, health checks and volumes are those of the file.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildProcess, runProgram } from '@graph2kafka/test-harness';
import { ensureKafkaJars } from '../../../packages/test-harness/src/kafka-jars.ts';
import { javaArguments } from '../../../packages/test-harness/src/kafka-java.ts';
import type { ComposeService } from '../../settings/compose-file.ts';
import type { Mount } from './container.ts';
import type { Place } from './private-network.ts';

export type ServerOptions = {
  readonly service: ComposeService;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly mounts: readonly Mount[];
  readonly place: Place;
  /** In the form of /etc/hosts. */
  readonly hostsFile: string;
};

export type Server = {
  readonly process: ChildProcess;
  /** Runs the program of a health check. @throws where it fails */
  exec(program: readonly string[]): Promise<unknown>;
};

/** @throws where the file starts something else than redis-server */
export async function startRedis({ service, mounts, place }: ServerOptions): Promise<Server> {
  const [program = '', ...options] = service.command ?? [];
  // The image listens on all addresses, and works in the folder of its volume.
  const ofImage = ['--bind', '0.0.0.0', '--protected-mode', 'no'];
  const process = await inPlace(place, program, [...options, ...ofImage], mounts[0]?.source);
  return { process, exec: ([command = '', ...words]) => runIn(place, command, words) };
}

/** As the image does: variables that begin with KAFKA_ are settings, and an empty volume is formatted first. */
export async function startKafka(options: ServerOptions): Promise<Server> {
  const { service, environment, mounts, place } = options;
  const [volume] = mounts;
  const properties = Object.entries(environment)
    .filter(([name]) => name.startsWith('KAFKA_'))
    .map(([name, value = '']) => `${name.slice(6).toLowerCase().replaceAll('_', '.')}=${value}\n`)
    .join('')
    .replaceAll(volume?.target ?? '', join(volume?.source ?? '', 'log'));
  const file = join(volume?.source ?? '', 'server.properties');
  await writeFile(file, properties);
  const format = ['format', '--cluster-id', environment.CLUSTER_ID ?? '', '--config', file];
  await runIn(place, 'java', await java(options, 'kafka.tools.StorageTool', format));
  const program = ['java', ...(await java(options, 'kafka.Kafka', [file]))];
  const process = await inPlace(place, 'unshare', [...underName(service.hostname ?? ''), ...program]);
  return { process, exec: async (program) => runIn(place, 'java', await javaProgram(options, program)) };
}

/** The arguments of `unshare` that let a program find this name as that of its machine. */
const underName = (hostname: string) => [
  ...['--uts', '--', 'sh', '-c', 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"'],
  hostname,
];

/** The class behind a script of the image. */
const CLASS_OF: Readonly<Record<string, string>> = {
  '/opt/kafka/bin/kafka-broker-api-versions.sh': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
};

async function javaProgram(options: ServerOptions, [script = '', ...words]: readonly string[]) {
  const mainClass = CLASS_OF[script];
  if (mainClass === undefined) throw new Error(`no class is known for ${script}`);
  return java(options, mainClass, words);
}

async function java({ hostsFile }: ServerOptions, mainClass: string, words: readonly string[]) {
  const libDir = await ensureKafkaJars();
  const jvmOptions = ['-Xmx512m', `-Djdk.net.hosts.file=${hostsFile}`];
  return javaArguments({ libDir, mainClass, arguments: words, jvmOptions });
}

function inPlace({ into }: Place, program: string, words: readonly string[], workingDirectory?: string) {
  const [command = '', ...rest] = [...into, program, ...words];
  return ChildProcess.start({
    name: program,
    command,
    arguments: rest,
    ...(workingDirectory !== undefined && { workingDirectory }),
  });
}

function runIn({ into }: Place, program: string, words: readonly string[]) {
  const [command = '', ...rest] = [...into, program, ...words];
  return runProgram(command, rest, { timeoutMs: 30_000 });
}
