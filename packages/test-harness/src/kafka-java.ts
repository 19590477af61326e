// How Java is called with Kafka's jars so that a throw-away broker or tool is up soon.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { makeFolderOnce } from './make-folder-once.ts';
import { programVersion } from './run-program.ts';

// Measured on two cores, format + start: 3.3 s with Java's defaults, 2.4 s with these two, 1.4 s with the archive too.
// They trade speed in the long run for speed at the start.
// Without perf data a killed Java leaves no file in the temp folder.
const QUICK_START = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData'];

export interface JavaCommand {
  readonly libDir: string;
  readonly mainClass: string;
  readonly arguments: readonly string[];
  /** Put after ours, so that they win. */
  readonly jvmOptions?: readonly string[];
}

/** The arguments of `java`. */
export async function javaArguments(command: JavaCommand): Promise<string[]> {
  const archive = archiveFile(command.libDir, await javaVersion());
  return [
    ...QUICK_START,
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []),
    // What is worth a line here is a fault; at `info` a broker tells all its settings, and spends time on it.
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ...(command.jvmOptions ?? []),
    '-cp',
    await classPath(command.libDir),
    command.mainClass,
    ...command.arguments,
  ];
}

/**
 * Has Java keep the classes of a broker, parsed and checked, in a file that later starts map into memory (a dynamic
 * CDS archive). Made once per Java version: `train` is given the Java option that writes the file at exit, and must
 * run a broker with it. A Java that cannot do this leaves no file, and starts stay slower.
 */
export async function ensureClassArchive(
  libDir: string,
  train: (jvmOption: string, scratchFolder: string) => Promise<void>,
): Promise<void> {
  const archive = archiveFile(libDir, await javaVersion());
  await makeFolderOnce(dirname(archive), async (emptyFolder) => {
    const scratchFolder = join(emptyFolder, 'training');
    await train(`-XX:ArchiveClassesAtExit=${join(emptyFolder, ARCHIVE_NAME)}`, scratchFolder).catch(
      () => undefined,
    );
    await rm(scratchFolder, { recursive: true, force: true });
  });
}

const ARCHIVE_NAME = 'kafka.jsa';

// An archive fits one build of Java only.
function archiveFile(libDir: string, version: string): string {
  const build = createHash('sha256').update(version).digest('hex').slice(0, 12);
  return join(dirname(libDir), `classes-${build}`, ARCHIVE_NAME);
}

let versionOfJava: Promise<string | undefined> | undefined;

async function javaVersion(): Promise<string> {
  versionOfJava ??= programVersion('java', ['-version']);
  return (await versionOfJava) ?? 'none';
}

// Sorted, since the archive fits one order only; `lib/*` would leave the order to the file system.
async function classPath(libDir: string): Promise<string> {
  const jars = (await readdir(libDir)).filter((file) => file.endsWith('.jar')).sort();
  return jars.map((jar) => join(libDir, jar)).join(delimiter);
}
