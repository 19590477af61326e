/**
 * Settings whose secrets may be kept elsewhere: read at the start, and again for as long as the service runs, so that
 * a secret is replaced without a restart.
 */
import type { z } from 'zod';
import type { Logger } from '../logger.ts';
import { ConfigError, type Environment, parseConfig } from '../parse-config.ts';
import { repeat } from '../repeat.ts';
import type { ReadSecret } from './read-secret.ts';
import {
  findReferences,
  mayRefer,
  type ReferringSetting,
  readSecrets,
  referencesOf,
  type Secrets,
  settingValue,
} from './referring-settings.ts';
import { SecretError } from './secret-error.ts';
import type { SecretReference } from './secret-reference.ts';

export type LiveConfigOptions<S extends z.ZodType> = {
  readonly schema: S;
  readonly environment: Environment;
  /** Names that may be references, where the schema has no shape; one that has says it itself (`mayRefer`). */
  readonly secrets?: readonly string[];
  /** Of all that may be references, those whose change counts after a restart alone: what is connected stays so. */
  readonly atStartOnly?: readonly string[];
  readonly read: ReadSecret;
};

export type LiveConfig<Config> = {
  /** Settings whose values are kept elsewhere, so that nobody meant them to be shown. */
  readonly referring: readonly string[];
  /** A secret that is read from it is always the newest; whoever keeps a copy keeps the old one. */
  readonly config: Readonly<Config>;
  /** Looks again until closed. A secret that cannot be had, or is none that the setting takes, leaves the old one. */
  watch(log: Logger, options?: WatchOptions): SecretWatch;
};

export type WatchOptions = {
  /** Kubernetes puts a new secret behind the same path, within a minute or so of its change. */
  readonly filesEveryMs?: number;
  /** Each look is a request that is paid for. */
  readonly othersEveryMs?: number;
  /** Told of settings that have changed, after they have. */
  readonly onChange?: (settings: readonly string[]) => void;
};

export type SecretWatch = { close(): void };

const FILES_EVERY_MS = 2000;
const OTHERS_EVERY_MS = 300_000;

/** Reads the settings; rejects with a `ConfigError` that names each variable and reference, never a value. */
export async function loadConfig<S extends z.ZodType>(
  options: LiveConfigOptions<S>,
): Promise<LiveConfig<z.output<S>>> {
  const { schema, environment, secrets = [], atStartOnly = [], read } = options;
  const settings = findReferences(environment, [...new Set([...secrets, ...mayRefer(schema)])]);
  const parse = (known: Secrets) => {
    const referred = settings.map((setting) => [setting.name, settingValue(setting, known)]);
    return parseConfig(schema, { ...environment, ...Object.fromEntries(referred) }) as Record<
      string,
      unknown
    >;
  };
  const known = await readSecrets(settings, read);
  const state = { known, values: parse(known) };
  return {
    referring: settings.map(({ name }) => name),
    config: viewOf(() => state.values) as Readonly<z.output<S>>,
    watch(log, { onChange, filesEveryMs = FILES_EVERY_MS, othersEveryMs = OTHERS_EVERY_MS } = {}) {
      const look = createLook({ settings, state, parse, atStartOnly, read, log, onChange });
      const timers = [
        repeat(filesEveryMs, () => look(({ kind }) => kind === 'file')),
        repeat(othersEveryMs, () => look(({ kind }) => kind !== 'file')),
      ];
      return {
        close() {
          for (const timer of timers) timer.close();
        },
      };
    },
  };
}

function pick(values: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in values).map((name) => [name, values[name]]));
}

/** An object with the settings of the moment at which one of them is read. */
function viewOf(current: () => Record<string, unknown>): object {
  const getters = Object.keys(current()).map((name) => [
    name,
    { enumerable: true, get: () => current()[name] },
  ]);
  return Object.freeze(Object.defineProperties({}, Object.fromEntries(getters)));
}

type LookDeps = {
  readonly settings: readonly ReferringSetting[];
  readonly state: { known: Secrets; values: Record<string, unknown> };
  readonly parse: (known: Secrets) => Record<string, unknown>;
  readonly atStartOnly: readonly string[];
  readonly read: ReadSecret;
  readonly log: Logger;
  readonly onChange: WatchOptions['onChange'];
};

/** One look at the secrets of a kind: what differs is taken all together, or not at all. */
function createLook({ settings, state, parse, atStartOnly, read, log, onChange }: LookDeps) {
  const said = new Map<string, string>();
  /** Says it once, not at each look. */
  const complain = (about: string, problem: string, say: () => void) => {
    if (said.get(about) !== problem) say();
    said.set(about, problem);
  };

  async function readAgain(name: string, reference: SecretReference): Promise<[string, string] | undefined> {
    try {
      const secret = await read(reference);
      said.delete(reference.text);
      return [reference.text, secret];
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      complain(reference.text, error.message, () =>
        log.error({ setting: name, reference: reference.text, err: error }, 'secret.not-read'),
      );
      return undefined;
    }
  }

  function take(known: Secrets): void {
    const changed = settings.filter(
      (setting) => settingValue(setting, known) !== settingValue(setting, state.known),
    );
    if (changed.length === 0) return;
    const names = changed.map(({ name }) => name);
    try {
      state.values = { ...parse(known), ...pick(state.values, atStartOnly) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { problems } = error;
      complain('settings', problems.join(), () =>
        log.error({ settings: names, problems }, 'secret.not-taken'),
      );
      return;
    }
    state.known = known;
    said.delete('settings');
    const later = names.filter((name) => atStartOnly.includes(name));
    if (later.length > 0) log.warn({ settings: later }, 'secret.needs-restart');
    const now = names.filter((name) => !later.includes(name));
    if (now.length === 0) return;
    log.info({ settings: now }, 'secret.replaced');
    onChange?.(now);
  }

  return async (isMeant: (reference: SecretReference) => boolean): Promise<void> => {
    const looks = settings.flatMap(({ name, parts }) =>
      referencesOf(parts)
        .filter(isMeant)
        .map((reference) => readAgain(name, reference)),
    );
    if (looks.length === 0) return;
    const read = (await Promise.all(looks)).filter((found) => found !== undefined);
    take(new Map([...state.known, ...read]));
  };
}
