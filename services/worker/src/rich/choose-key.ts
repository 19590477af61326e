/** Which of the held keys a rich notification is for, and which certificates are about to end. Pure. */
import type { HeldKey } from './private-keys.ts';

/** How an encryptedContent names the key that it is for. */
export type KeyNames = {
  readonly encryptionCertificateId: string;
  readonly encryptionCertificateThumbprint?: string | undefined;
};

/**
 * `undefined`: not held, or not yet, as during a rotation; the notification can wait for it. So too where the id is
 * known and the thumbprint is another certificate's: the label was used twice, and the key at hand opens nothing.
 */
export function chooseKey(keys: readonly HeldKey[], names: KeyNames): HeldKey | undefined {
  const key = keys.find(({ id }) => id === names.encryptionCertificateId);
  const known = key?.certificate?.thumbprint;
  const named = names.encryptionCertificateThumbprint?.toUpperCase();
  return known !== undefined && named && known !== named ? undefined : key;
}

export type EndingCertificate = { readonly id: string; readonly expiresAt: number };

/**
 * Certificates that end before `now + withinMs`, or have ended; the next one first. They decrypt all the same, but an
 * expired one should not go into new subscriptions.
 */
export function endingCertificates(
  keys: readonly HeldKey[],
  now: number,
  withinMs: number,
): EndingCertificate[] {
  return keys
    .flatMap(({ id, certificate }) => (certificate ? [{ id, expiresAt: certificate.expiresAt }] : []))
    .filter(({ expiresAt }) => expiresAt < now + withinMs)
    .sort((a, b) => a.expiresAt - b.expiresAt);
}
