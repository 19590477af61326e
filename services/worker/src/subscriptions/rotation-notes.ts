/** What an operator has to know of secrets and certificates after a reconciliation, said once and not at each one. */
import type { Logger } from '@graph2kafka/shared';
import type { EncryptionKeys } from '../rich/encryption-keys.ts';
import type { ReconcileReport } from './reconcile.ts';
import type { CertificateInUse } from './rotations.ts';

export type RotationNotesDeps = {
  readonly encryption: Pick<EncryptionKeys, 'current'>;
  readonly log: Logger;
  readonly now: () => number;
};

const DAY_MS = 24 * 3_600_000;
/** Time for whoever has to agree to a new one. */
const WARN_BEFORE_MS = 30 * DAY_MS;

const MAY_GO = 'the old secret may be removed from CLIENT_STATE_SECRETS';

export type NoteRotations = (
  report: Pick<ReconcileReport, 'bySecret' | 'oldSecretsFreed' | 'certificates'>,
) => void;

export function createRotationNotes({ encryption, log, now }: RotationNotesDeps): NoteRotations {
  const warned = new Map<string, number>();
  let lastUse = { old: 0, replaced: 0 };

  function noteEnding({ id, expiresAt, subscriptions }: CertificateInUse): void {
    const isUsed = subscriptions > 0 || id === encryption.current()?.id;
    const isSaid = now() - (warned.get(id) ?? Number.NEGATIVE_INFINITY) < DAY_MS;
    if (!isUsed || isSaid || expiresAt - now() > WARN_BEFORE_MS) return;
    warned.set(id, now());
    const expires = new Date(expiresAt).toISOString();
    log.warn({ certificate: id, expires, subscriptions }, 'encryption.certificate-expires');
  }

  return ({ bySecret: { old, replaced, current }, oldSecretsFreed, certificates }) => {
    for (const certificate of certificates) noteEnding(certificate);
    if (old !== lastUse.old || replaced !== lastUse.replaced)
      log.info({ old, replaced, current }, 'clientstate.old-secret-in-use');
    lastUse = { old, replaced };
    if (oldSecretsFreed) log.info({ next: MAY_GO }, 'clientstate.old-secret-freed');
  };
}
