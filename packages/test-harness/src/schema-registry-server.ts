// A real schema registry (Apicurio, which has Confluent's API as well) for a test; what it holds is gone when it ends.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildProcess } from './child-process.ts';
import { freePort } from './free-port.ts';
import { LOCAL_FOLDER } from './local-folder.ts';
import { makeFolderOnce } from './make-folder-once.ts';
import { unpackFromArtifact } from './maven-central.ts';
import type { OnProgress } from './progress.ts';

// The newest line that runs on Java 17.
const VERSION = '2.6.13.Final';
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;

export interface SchemaRegistryServer {
  /** Where it has Confluent's API. */
  readonly url: string;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** Returns when it answers. @throws when it cannot be fetched or started; the text holds its last lines */
export async function startSchemaRegistry(onProgress: OnProgress = () => {}): Promise<SchemaRegistryServer> {
  const program = await fetchProgram(join(LOCAL_FOLDER, `apicurio-registry-${VERSION}`), onProgress);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const process = await ChildProcess.start({
    name: `Apicurio Registry on port ${port}`,
    command: 'java',
    arguments: [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-XX:-UsePerfData',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-jar',
      program,
    ],
  });
  try {
    // Two busy cores: 7 s to 25 s.
    await process.waitUntil(async () => (await fetch(`${url}/subjects`)).ok, { timeoutMs: 90_000 });
  } catch (error) {
    await process.kill9();
    throw error;
  }
  return {
    url,
    async stop() {
      await process.stop();
    },
  };
}

async function fetchProgram(folder: string, onProgress: OnProgress): Promise<string> {
  await makeFolderOnce(folder, (emptyFolder) => {
    onProgress(`Fetching Apicurio Registry ${VERSION} from Maven Central (142 MB, this once)`);
    return unpackFromArtifact(ARTIFACT, '**', emptyFolder);
  });
  const program = (await readdir(folder)).find((name) => name.endsWith('-runner.jar'));
  if (program === undefined)
    throw new Error(`${folder} holds no registry: remove it, and it is fetched again`);
  return join(folder, program);
}
