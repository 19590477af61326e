/**
 * The worker's settings as far as they are in order, and everything that is wrong with them: the service itself says
 * what is wrong with secrets first and with the rest after that.
 */
import {
  ConfigError,
  type Environment,
  loadConfig,
  mayRefer,
  parseConfig,
  platformSecretReader,
  type ReadSecret,
} from '@graph2kafka/shared';
import { z } from 'zod';
import { type WorkerConfig, workerSettings } from '../config.ts';
import { kafkaSettings } from '../kafka/kafka-settings.ts';

type Name = keyof WorkerConfig;

export type ReadSettings = {
  /** A line each, as the service says it. */
  readonly problems: readonly string[];
  /** Settings whose secrets are kept elsewhere and could be read: `AZURE_CLIENT_SECRET`. */
  readonly referring: readonly string[];
  /** These settings, or undefined where one of them is wrong or missing. */
  part<const N extends Name>(names: readonly N[]): Pick<WorkerConfig, N> | undefined;
};

/** In the place of what is required and wrong, so that contradictions among the others show. */
const STAND_INS: Environment = {
  REDIS_URL: 'redis://stand-in',
  CLIENT_STATE_SECRETS: 'stand-in-of-16-or-more',
  AZURE_TENANT_ID: '00000000-0000-4000-8000-000000000000',
  AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000000',
  KAFKA_BROKERS: 'stand-in:9092',
};

export async function readSettings(
  environment: Environment,
  read: ReadSecret = platformSecretReader(environment),
): Promise<ReadSettings> {
  const secrets = await resolveSecrets(environment, read);
  const resolved = { ...environment, ...secrets.values };
  const problems = [...secrets.problems];
  const wrong = new Set<string>(secrets.unread);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(workerSettings.shape) as Name[]) {
    if (wrong.has(name)) continue;
    const parsed = parseOne(name, resolved);
    if (parsed.ok) values[name] = parsed.value;
    else {
      wrong.add(name);
      problems.push(...parsed.problems);
    }
  }
  for (const { name, problem } of contradictions(resolved, wrong)) {
    wrong.add(name);
    problems.push(`${name}: ${problem}`);
  }
  return {
    problems,
    referring: secrets.referring,
    part(names) {
      if (names.some((name) => wrong.has(name))) return undefined;
      return Object.fromEntries(names.map((name) => [name, values[name]])) as never;
    },
  };
}

type Parsed = { ok: true; value: unknown } | { ok: false; problems: readonly string[] };

function parseOne(name: Name, environment: Environment): Parsed {
  const schema = z.object({ [name]: workerSettings.shape[name] });
  try {
    const parsed = parseConfig(schema, { [name]: environment[name] }) as Record<string, unknown>;
    return { ok: true, value: parsed[name] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, problems: error.problems };
  }
}

/** What is wrong between settings that are right each for itself. */
function contradictions(environment: Environment, wrong: ReadonlySet<string>) {
  const rest = Object.entries(environment).filter(([name, value]) => value !== '' && !wrong.has(name));
  const standIns = Object.entries(STAND_INS).filter(([name]) => wrong.has(name) || !environment[name]);
  const result = workerSettings.safeParse(Object.fromEntries([...rest, ...standIns]));
  const isKafkaUnknown = Object.keys(kafkaSettings).some((name) => wrong.has(name));
  return (
    (result.error?.issues ?? [])
      .map(({ path, message }) => ({ name: String(path[0]), problem: message }))
      .filter(({ name }) => !wrong.has(name))
      // Where one of them cannot be read, what it means for the others cannot be told.
      .filter(({ name }) => !isKafkaUnknown || !(name in kafkaSettings))
  );
}

type Resolved = {
  readonly values: Record<string, string>;
  readonly problems: readonly string[];
  /** Settings with a reference that could not be read. */
  readonly unread: readonly string[];
  readonly referring: readonly string[];
};

/** Each by itself, so that one that cannot be had hides no other. */
async function resolveSecrets(environment: Environment, read: ReadSecret): Promise<Resolved> {
  const given = mayRefer(workerSettings).filter((name) => environment[name]);
  const found = await Promise.all(given.map((name) => resolveSecret(name, environment[name] ?? '', read)));
  return {
    values: Object.fromEntries(
      found.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    ),
    problems: found.flatMap(({ problems }) => problems),
    unread: found.filter(({ value }) => value === undefined).map(({ name }) => name),
    referring: found.filter(({ refers, value }) => refers && value !== undefined).map(({ name }) => name),
  };
}

async function resolveSecret(name: string, text: string, read: ReadSecret) {
  let refers = false;
  try {
    const { config } = await loadConfig({
      schema: z.record(z.string(), z.string()),
      environment: { [name]: text },
      secrets: [name],
      read: (reference) => {
        refers = true;
        return read(reference);
      },
    });
    return { name, value: config[name], problems: [], refers };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { name, value: undefined, problems: error.problems, refers };
  }
}
