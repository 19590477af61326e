/** What is held after a look at the places of keys: the new ones, and of the old ones what is still needed. Pure. */
import { X509Certificate } from 'node:crypto';
import { type HeldKey, type PrivateKeySource, readPrivateKeys } from './private-keys.ts';

export type CertifiedKey = HeldKey & {
  /** Epoch milliseconds from which its certificate is valid; absent without one. */
  readonly startsAt?: number;
};

export type Held = { readonly keys: readonly CertifiedKey[]; readonly problems: readonly string[] };

export function readHeldKeys(sources: readonly PrivateKeySource[]): Held {
  const { keys, problems } = readPrivateKeys(sources);
  return { keys: keys.map(startOf), problems: problems.map(({ problem }) => problem) };
}

function startOf(key: HeldKey): CertifiedKey {
  if (!key.certificate) return key;
  const { validFromDate } = new X509Certificate(Buffer.from(key.certificate.base64, 'base64'));
  return { ...key, startsAt: validFromDate.getTime() };
}

/**
 * A key that was good and is now spoiled stays as it was, unless it was taken away. One whose id is now another's still
 * opens what is for it: subscriptions keep its certificate, as they are changed over by ids alone.
 */
export function keepingOld(old: readonly CertifiedKey[], sources: readonly PrivateKeySource[]): Held {
  const { keys, problems } = readHeldKeys(sources);
  const isSpoiled = ({ id }: HeldKey) =>
    !keys.some((key) => key.id === id) && sources.some((source) => source.id === id);
  const taken = keys.map((key) =>
    withReplaced(
      key,
      old.find(({ id }) => id === key.id),
    ),
  );
  return { keys: [...taken, ...old.filter(isSpoiled)], problems };
}

function withReplaced(key: CertifiedKey, former: CertifiedKey | undefined): CertifiedKey {
  if (!former) return key;
  const { replaced: older = [], ...last } = former;
  const replaced = [last, ...older].filter((one) => !isSame(one, key));
  return replaced.length === 0 ? key : { ...key, replaced };
}

/** Ids under which there is another key than before. */
export function reusedIds(before: readonly CertifiedKey[], after: readonly CertifiedKey[]): string[] {
  const isReused = (key: CertifiedKey) => before.some((old) => old.id === key.id && !isSame(old, key));
  return after.filter(isReused).map(({ id }) => id);
}

function isSame(one: HeldKey, other: HeldKey): boolean {
  const isSameCertificate = one.certificate?.thumbprint === other.certificate?.thumbprint;
  return isSameCertificate && one.privateKey.equals(other.privateKey);
}
