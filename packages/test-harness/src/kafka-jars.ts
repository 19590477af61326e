// Kafka's jars: fetched from Maven Central once, and shared by all brokers of this repository.
import { join, resolve } from 'node:path';
import { LOCAL_FOLDER } from './local-folder.ts';
import { makeFolderOnce } from './make-folder-once.ts';
import { copyJars } from './maven-central.ts';
import type { OnProgress } from './progress.ts';

const POM = resolve(import.meta.dirname, '../kafka/pom.xml');

/** Exists after the first start of a broker. */
export const KAFKA_LIB_DIR = join(LOCAL_FOLDER, 'kafka-4.1.0', 'lib');

/** Returns the folder of jars; fetches them where they are not there (54 MB). @throws with Maven's words */
export async function ensureKafkaJars(
  onProgress: OnProgress = () => {},
  libDir = KAFKA_LIB_DIR,
): Promise<string> {
  await makeFolderOnce(libDir, (emptyFolder) => {
    onProgress('Fetching Kafka 4.1.0 from Maven Central (54 MB, this once)');
    return copyJars(POM, emptyFolder);
  });
  return libDir;
}
