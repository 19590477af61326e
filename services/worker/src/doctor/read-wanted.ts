/** The wanted subscriptions, their tenants, and the keys and secrets that they need, as the worker reads them at its start. */
import { readFile } from 'node:fs/promises';
import {
  ConfigError,
  type Environment,
  manyLines,
  platformSecretReader,
  type ReadSecret,
} from '@graph2kafka/shared';
import { WantedSubscriptionsError } from '../declaration/declaration-error.ts';
import type { DeclaredEntry } from '../declaration/declared-entry.ts';
import { parseSubscriptionsFile } from '../declaration/read-declaration.ts';
import {
  type EncryptionKeys,
  loadEncryptionKeys,
  noEncryptionKeys,
  requireKeyFor,
} from '../rich/encryption-keys.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import type { DeclaredTenant } from '../tenants/declared-tenants.ts';
import { loadTenantSecrets, secretName } from '../tenants/tenant-secrets.ts';
import type { ReadSettings } from './read-settings.ts';

/** A tenant of subscriptions.yaml, with its secret where it has one that could be read. */
export type FurtherTenant = { readonly tenant: DeclaredTenant; readonly clientSecret: string | undefined };

export type ReadWanted = {
  /** Path of subscriptions.yaml; undefined where none is set, or a setting that it takes is wrong. */
  readonly file: string | undefined;
  /** Undefined where they are not known. Of an entry whose people Graph knows, one of nobody. */
  readonly wishes: readonly Wish[] | undefined;
  /** The entries that these come from. */
  readonly entries: readonly DeclaredEntry[];
  /** Beside the one of AZURE_TENANT_ID; without those whose secret could not be read. */
  readonly tenants: readonly FurtherTenant[];
  /** Of the file, each with its name and line. */
  readonly problems: readonly string[];
  /** Of keys and secrets that are needed and kept elsewhere. */
  readonly secretProblems: readonly string[];
};

export async function readWanted(
  settings: ReadSettings,
  environment: Environment,
  now: () => number,
): Promise<ReadWanted> {
  const { declared, ...file } = await readFileOf(settings);
  const [keys, secrets] = await Promise.all([
    readKeys(settings, environment, now),
    readTenantSecrets(declared, platformSecretReader(environment)),
  ]);
  const needed =
    keys.problems.length === 0 ? problemsOf(() => requireKeyFor(file.wishes ?? [], keys.held)) : [];
  return {
    ...file,
    tenants: secrets.tenants,
    secretProblems: [...keys.problems, ...needed, ...secrets.problems],
  };
}

type ReadFile = Pick<ReadWanted, 'file' | 'wishes' | 'entries' | 'problems'> & {
  readonly declared: readonly DeclaredTenant[];
};

async function readFileOf(settings: ReadSettings): Promise<ReadFile> {
  const names = [
    'SUBSCRIPTIONS_FILE',
    'KAFKA_TOPIC',
    'AZURE_TENANT_ID',
    'LIFECYCLE_NOTIFICATION_URL',
  ] as const;
  const config = settings.part(names);
  const file = config?.SUBSCRIPTIONS_FILE;
  const nothing = { file, entries: [], declared: [], problems: [] };
  if (!config || file === undefined) return { ...nothing, wishes: config && [] };
  const refuse = (problems: readonly string[]) => ({ ...nothing, wishes: undefined, problems });
  const { KAFKA_TOPIC: topic, AZURE_TENANT_ID: tenantId, LIFECYCLE_NOTIFICATION_URL: lifecycleUrl } = config;
  const text = await readFile(file, 'utf8').catch((thrown: NodeJS.ErrnoException) => thrown);
  if (typeof text !== 'string') return refuse([`${file}: cannot be read (${text.code})`]);
  try {
    const defaults = { topic, tenantId, lifecycleUrl };
    const { tenants: declared, entries, samples: wishes } = parseSubscriptionsFile(text, file, defaults);
    return { file, wishes, entries, declared, problems: [] };
  } catch (thrown) {
    if (!(thrown instanceof WantedSubscriptionsError)) throw thrown;
    return refuse(thrown.problems);
  }
}

/** Each by itself, so that one that cannot be had hides no other. */
async function readTenantSecrets(declared: readonly DeclaredTenant[], read: ReadSecret) {
  const problems: string[] = [];
  const tenants: FurtherTenant[] = [];
  for (const tenant of declared) {
    try {
      const { config } = await loadTenantSecrets([tenant], read);
      tenants.push({ tenant, clientSecret: config[secretName(tenant)] });
    } catch (thrown) {
      if (!(thrown instanceof ConfigError)) throw thrown;
      problems.push(...thrown.problems);
    }
  }
  return { tenants, problems };
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
