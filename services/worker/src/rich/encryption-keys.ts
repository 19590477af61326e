/**
 * The keys that rich notifications are opened with, and the one whose certificate subscriptions are given: read at the
 * start, and again for as long as the service runs, so that a key is added or taken away without a restart.
 */
import { ConfigError, type Logger, type ReadSecret, repeat } from '@graph2kafka/shared';
import type { EncryptionCertificate } from '../subscriptions/subscriptions-api.ts';
import { type CertifiedKey, keepingOld, readHeldKeys, reusedIds } from './held-keys.ts';
import type { KeyPlace } from './key-places.ts';
import { createKeySources } from './key-sources.ts';
import type { HeldKey, PrivateKeySource } from './private-keys.ts';

export type EncryptionKeys = {
  /** All that can be used at this moment. */
  held(): readonly CertifiedKey[];
  /** What new subscriptions are made with, and living ones changed over to; undefined where no key has a certificate. */
  current(): EncryptionCertificate | undefined;
  /** Looks again until closed. */
  watch(log: Logger, options?: WatchKeysOptions): { close(): void };
};

export type WatchKeysOptions = { readonly filesEveryMs?: number; readonly othersEveryMs?: number };

export type EncryptionKeysOptions = {
  readonly places: readonly KeyPlace[];
  /** Id of the key to use; without one, the newest whose certificate is valid. */
  readonly current: string | undefined;
  /** Takes secrets of many lines. */
  readonly read: ReadSecret;
  readonly now: () => number;
};

/** As other secrets: each look at one that is kept elsewhere is paid for. */
const FILES_EVERY_MS = 2000;
const OTHERS_EVERY_MS = 300_000;

export const noEncryptionKeys: EncryptionKeys = {
  held: () => [],
  current: () => undefined,
  watch: () => ({ close: () => undefined }),
};

/** Rejects with a `ConfigError` that names every key that cannot be had or used. */
export async function loadEncryptionKeys(options: EncryptionKeysOptions): Promise<EncryptionKeys> {
  const { places, current, read, now } = options;
  const readSources = createKeySources(places, read);
  const { sources, problems } = await readSources(() => true);
  let held = readHeldKeys(sources);
  const wrong = [...problems, ...held.problems].map((problem) => `ENCRYPTION_KEYS: ${problem}`);
  if (wrong.length === 0 && current !== undefined && !held.keys.some((key) => isNamed(key, current)))
    wrong.push('ENCRYPTION_CURRENT_KEY: names no key of ENCRYPTION_KEYS that has a certificate');
  if (wrong.length > 0) throw new ConfigError(wrong);
  let seen = fingerprint(sources);
  return {
    held: () => held.keys,
    current: () => currentCertificate(held.keys, current, now()),
    watch(log, intervals = {}) {
      const complain = createComplaints(log);
      return lookAgain(intervals, async (isMeant) => {
        if (!places.some(isMeant)) return;
        const found = await readSources(isMeant);
        complain('encryption.keys-not-read', found.problems);
        if (fingerprint(found.sources) === seen) return;
        seen = fingerprint(found.sources);
        const before = held.keys;
        held = keepingOld(before, found.sources);
        complain('encryption.keys-not-taken', held.problems);
        for (const certificate of reusedIds(before, held.keys))
          log.error({ certificate }, 'encryption.id-reused');
        log.info({ keys: held.keys.map(({ id }) => id) }, 'encryption.keys-replaced');
      });
    },
  };
}

/** Throws a `ConfigError` where a rich subscription is wanted and there is nothing to make it with. */
export function requireKeyFor(
  wishes: readonly { readonly key: string; readonly rich?: boolean }[],
  keys: Pick<EncryptionKeys, 'current'>,
): void {
  const rich = wishes.find((wish) => wish.rich);
  if (rich === undefined || keys.current() !== undefined) return;
  throw new ConfigError([
    `ENCRYPTION_KEYS: ${rich.key} is rich, which needs a key with a certificate (g2k certificates rotate makes one)`,
  ]);
}

function isInFile(place: KeyPlace): boolean {
  return place.kind === 'folder' || (place.kind === 'reference' && place.reference.kind === 'file');
}

function isNamed({ id, certificate }: HeldKey, name: string): boolean {
  return id === name && certificate !== undefined;
}

/**
 * The newest that has begun. Where all have ended, the newest all the same: whether it still takes an ended one is
 * Graph's to say, and without any nothing could be subscribed to.
 */
function currentCertificate(
  keys: readonly CertifiedKey[],
  named: string | undefined,
  now: number,
): EncryptionCertificate | undefined {
  const certified = keys.flatMap(({ id, certificate, startsAt = 0 }) =>
    certificate ? [{ id, startsAt, ...certificate }] : [],
  );
  const chosen = certified.find(({ id }) => id === named);
  const begun = certified
    .filter(({ startsAt }) => startsAt <= now)
    .sort((a, b) => b.startsAt - a.startsAt || (a.id < b.id ? 1 : -1));
  const { id, base64 } = chosen ?? begun.find(({ expiresAt }) => expiresAt > now) ?? begun[0] ?? {};
  return id === undefined || base64 === undefined ? undefined : { id, base64 };
}

function fingerprint(sources: readonly PrivateKeySource[]): string {
  return JSON.stringify(sources.map(({ id, text }) => [id, text]));
}

/** Says what is wrong once, not at each look. */
function createComplaints(log: Logger) {
  const said = new Map<string, string>();
  return (line: 'encryption.keys-not-read' | 'encryption.keys-not-taken', problems: readonly string[]) => {
    const text = problems.join('; ');
    if (text !== '' && said.get(line) !== text) log.error({ problems }, line);
    said.set(line, text);
  };
}

function lookAgain(
  { filesEveryMs = FILES_EVERY_MS, othersEveryMs = OTHERS_EVERY_MS }: WatchKeysOptions,
  look: (isMeant: (place: KeyPlace) => boolean) => Promise<void>,
): { close(): void } {
  const timers = [
    repeat(filesEveryMs, () => look(isInFile)),
    repeat(othersEveryMs, () => look((place) => !isInFile(place))),
  ];
  return {
    close() {
      for (const timer of timers) timer.close();
    },
  };
}
