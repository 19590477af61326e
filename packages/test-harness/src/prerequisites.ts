// Finds out what a local run needs and this machine lacks, and says how to mend it.
import { existsSync } from 'node:fs';
import { KAFKA_LIB_DIR } from './kafka-jars.ts';
import { hasRedisBinaryFor } from './redis-program.ts';
import { programVersion } from './run-program.ts';

export interface Prerequisites {
  /** Servers that exist already need no programs. */
  readonly redisUrl?: string | undefined;
  readonly kafkaBrokers?: string | undefined;
  /** The PATH in which programs are looked for. Default: this process's own. */
  readonly searchPath?: string;
  /** As Node names them. Default: this machine's. */
  readonly platform?: string;
  readonly architecture?: string;
  /** Where Kafka's jars are, or will be put. */
  readonly kafkaLibDir?: string;
}

// Kafka 4's brokers and tools need it (Kafka documentation, "Java Version").
const OLDEST_JAVA = 17;

interface Findings {
  readonly java: boolean;
  readonly javaTooOld: string | undefined;
  readonly maven: boolean;
  readonly redis: boolean;
}

type Program = 'java' | 'maven' | 'redis';

const PACKAGES: Readonly<Record<Program, { readonly apt: string; readonly brew: string }>> = {
  java: { apt: 'openjdk-17-jre-headless', brew: 'openjdk' },
  maven: { apt: 'maven', brew: 'maven' },
  redis: { apt: 'redis-server', brew: 'redis' },
};

/**
 * One sentence for each server that cannot be started here; empty when all is there.
 * E.g. "Kafka needs Java 17 or newer and Maven, …: install them with `sudo apt-get install …`, or …".
 */
export async function missingPrograms(options: Prerequisites = {}): Promise<string[]> {
  const { platform = process.platform, architecture = process.arch, kafkaLibDir = KAFKA_LIB_DIR } = options;
  const found = await lookAround(options.searchPath);
  const sentences: string[] = [];
  if (!options.kafkaBrokers) {
    const missing = missingForKafka(found, existsSync(kafkaLibDir));
    if (missing.length > 0) sentences.push(aboutKafka(missing, found, platform));
  }
  if (!options.redisUrl && !found.redis) {
    const canFetch = hasRedisBinaryFor(platform, architecture) && found.java && found.maven;
    if (!canFetch) sentences.push(aboutRedis(platform));
  }
  return sentences;
}

async function lookAround(searchPath: string | undefined): Promise<Findings> {
  const options = searchPath === undefined ? {} : { searchPath };
  const [java, maven, redis] = await Promise.all([
    programVersion('java', ['-version'], options),
    programVersion('mvn', ['--version'], options),
    programVersion('redis-server', ['--version'], options),
  ]);
  const release = java === undefined ? 0 : javaRelease(java);
  return {
    java: release >= OLDEST_JAVA,
    javaTooOld: release > 0 && release < OLDEST_JAVA ? String(release) : undefined,
    maven: maven !== undefined,
    redis: redis !== undefined,
  };
}

/** `openjdk version "17.0.15" …` → 17; the old `"1.8.0_392"` → 8; 0 where no version is told. */
export function javaRelease(version: string): number {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return Number(first === '1' ? second : first) || 0;
}

// Maven itself runs on Java, and is needed only until the jars are there.
function missingForKafka({ java, maven }: Findings, hasJars: boolean): Program[] {
  const missing: Program[] = [];
  if (!java) missing.push('java');
  if (!maven && !hasJars) missing.push('maven');
  return missing;
}

function aboutKafka(missing: readonly Program[], { javaTooOld }: Findings, platform: string): string {
  const names = missing.map((program) => (program === 'java' ? `Java ${OLDEST_JAVA} or newer` : 'Maven'));
  const found = missing.includes('java') && javaTooOld ? ` (found: Java ${javaTooOld})` : '';
  return (
    `A local Kafka needs ${names.join(' and ')}, not found on PATH${found}: ` +
    `install with \`${installCommand(missing, platform)}\`, ` +
    'or set KAFKA_BROKERS to the host:port of a Kafka that runs already.'
  );
}

function aboutRedis(platform: string): string {
  return (
    'A local Redis needs redis-server, not found on PATH: ' +
    `install with \`${installCommand(['redis'], platform)}\`, ` +
    'or set REDIS_URL to a Redis that runs already, e.g. redis://127.0.0.1:6379.'
  );
}

function installCommand(programs: readonly Program[], platform: string): string {
  const manager = platform === 'darwin' ? 'brew' : 'apt';
  const packages = programs.map((program) => PACKAGES[program][manager]).join(' ');
  return manager === 'brew' ? `brew install ${packages}` : `sudo apt-get install -y ${packages}`;
}
