// Fetches files from Maven Central with the `mvn` of this machine, so that its proxy and mirror settings hold.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

// Pinned: the version that a bare `dependency:` means depends on the Maven at hand.
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** Copies the jars that a pom names, and those that they need, into `folder`. @throws with Maven's words */
export async function copyJars(pomFile: string, folder: string): Promise<void> {
  await runMaven(['-f', pomFile, `${DEPENDENCY_PLUGIN}:copy-dependencies`, `-DoutputDirectory=${folder}`]);
}

/** Unpacks the files of one jar, `group:artifact:version`, that match a pattern, into `folder`. */
export async function unpackFromArtifact(artifact: string, pattern: string, folder: string): Promise<void> {
  await runMaven([
    `${DEPENDENCY_PLUGIN}:unpack`,
    `-Dartifact=${artifact}`,
    `-Dmdep.unpack.includes=${pattern}`,
    `-DoutputDirectory=${folder}`,
  ]);
}

async function runMaven(args: readonly string[]): Promise<void> {
  // Outside a project Maven writes marks of what it has unpacked into the current folder, and then trusts them.
  const scratch = await mkdtemp(join(tmpdir(), 'graph2kafka-maven-'));
  try {
    await runProgram('mvn', ['-q', '-B', ...args], { workingDirectory: scratch });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
