/** The wanted subscriptions and the keys that they need, as the worker reads them at its start. */
import { readFile } from 'node:fs/promises';
import { ConfigError, type Environment, manyLines, platformSecretReader } from '@graph2kafka/shared';
import {
  type EncryptionKeys,
  loadEncryptionKeys,
  noEncryptionKeys,
  requireKeyFor,
} from '../rich/encryption-keys.ts';
import {
  parseWantedSubscriptions,
  WantedSubscriptionsError,
  type Wish,
} from '../subscriptions/wanted-subscriptions.ts';
import type { ReadSettings } from './read-settings.ts';

export type ReadWanted = {
  /** Path of subscriptions.yaml; undefined where none is set, or a setting that it takes is wrong. */
  readonly file: string | undefined;
  /** Undefined where they are not known. */
  readonly wishes: readonly Wish[] | undefined;
  /** Of the file, without its name. */
  readonly problems: readonly string[];
  readonly keyProblems: readonly string[];
};

export async function readWanted(
  settings: ReadSettings,
  environment: Environment,
  now: () => number,
): Promise<ReadWanted> {
  const { file, ...read } = await readWishes(settings);
  const keys = await readKeys(settings, environment, now);
  const keyProblems = [...keys.problems];
  if (keys.problems.length === 0 && read.wishes) {
    keyProblems.push(...problemsOf(() => requireKeyFor(read.wishes ?? [], keys.held)));
  }
  return { file, ...read, keyProblems };
}

async function readWishes(settings: ReadSettings): Promise<Omit<ReadWanted, 'keyProblems'>> {
  const names = [
    'SUBSCRIPTIONS_FILE',
    'KAFKA_TOPIC',
    'AZURE_TENANT_ID',
    'LIFECYCLE_NOTIFICATION_URL',
  ] as const;
  const config = settings.part(names);
  const file = config?.SUBSCRIPTIONS_FILE;
  if (!config || file === undefined) return { file, wishes: config && [], problems: [] };
  const { KAFKA_TOPIC: topic, AZURE_TENANT_ID: tenantId, LIFECYCLE_NOTIFICATION_URL: lifecycleUrl } = config;
  const text = await readFile(file, 'utf8').catch((thrown: NodeJS.ErrnoException) => thrown);
  if (typeof text !== 'string') {
    return { file, wishes: undefined, problems: [`cannot be read (${text.code})`] };
  }
  try {
    return {
      file,
      wishes: parseWantedSubscriptions(text, file, { topic, tenantId, lifecycleUrl }),
      problems: [],
    };
  } catch (thrown) {
    if (!(thrown instanceof WantedSubscriptionsError)) throw thrown;
    // Its first line is the file's name.
    const lines = thrown.message.split('\n').map((line) => line.trim());
    return { file, wishes: undefined, problems: lines.length > 1 ? lines.slice(1) : lines };
  }
}

type Keys = { readonly held: Pick<EncryptionKeys, 'current'>; readonly problems: readonly string[] };

async function readKeys(settings: ReadSettings, environment: Environment, now: () => number): Promise<Keys> {
  const config = settings.part(['ENCRYPTION_KEYS', 'ENCRYPTION_CURRENT_KEY']);
  const places = config?.ENCRYPTION_KEYS;
  if (!config || places === undefined) return { held: noEncryptionKeys, problems: [] };
  const read = platformSecretReader(environment, manyLines);
  try {
    const current = config.ENCRYPTION_CURRENT_KEY;
    return { held: await loadEncryptionKeys({ places, current, read, now }), problems: [] };
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return { held: noEncryptionKeys, problems: thrown.problems };
  }
}

function problemsOf(act: () => void): readonly string[] {
  try {
    act();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return thrown.problems;
  }
}
