/** Which of the held keys a rich notification is for. Pure. */
import type { HeldKey } from './private-keys.ts';

/** How an encryptedContent names the key that it is for. */
export type KeyNames = {
  readonly encryptionCertificateId: string;
  readonly encryptionCertificateThumbprint?: string | undefined;
};

/**
 * `undefined`: not held, or not yet, as during a rotation; the notification can wait for it. So too where the id is
 * known and the thumbprint is that of no certificate that is or was under it: no key at hand opens anything.
 */
export function chooseKey(keys: readonly HeldKey[], names: KeyNames): HeldKey | undefined {
  const key = keys.find(({ id }) => id === names.encryptionCertificateId);
  const named = names.encryptionCertificateThumbprint?.toUpperCase();
  if (!key || !named || !key.certificate) return key;
  return [key, ...(key.replaced ?? [])].find(({ certificate }) => certificate?.thumbprint === named);
}
