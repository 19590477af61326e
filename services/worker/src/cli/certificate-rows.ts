/** What each key is for at the moment. Pure. */
import type { CertifiedKey } from '../rich/held-keys.ts';

export type CertificateRow = {
  readonly certificate: string;
  readonly state: 'current' | 'upcoming' | 'in use' | 'may go' | 'missing' | 'not current';
  /** ISO times; absent for a key without its certificate. */
  readonly from?: string;
  readonly until?: string;
  /** Absent where it is not known. */
  readonly subscriptions?: number;
};

/** `inUse`: subscriptions by the id of the key that they may need; undefined where that is not known. */
export function certificateRows(
  held: readonly CertifiedKey[],
  currentId: string | undefined,
  inUse: ReadonlyMap<string, number> | undefined,
  now: number,
): CertificateRow[] {
  const missing = [...(inUse ?? [])].filter(([id]) => !held.some((key) => key.id === id));
  return [
    ...held.map((key) => rowOf(key, stateOf(key, currentId, inUse, now), inUse)),
    ...missing.map(
      ([certificate, subscriptions]): CertificateRow => ({ certificate, state: 'missing', subscriptions }),
    ),
  ];
}

function stateOf(
  { id, startsAt = 0 }: CertifiedKey,
  currentId: string | undefined,
  inUse: ReadonlyMap<string, number> | undefined,
  now: number,
): CertificateRow['state'] {
  if (id === currentId) return 'current';
  if (startsAt > now) return 'upcoming';
  if (!inUse) return 'not current';
  return inUse.has(id) ? 'in use' : 'may go';
}

function rowOf(
  { id, certificate, startsAt }: CertifiedKey,
  state: CertificateRow['state'],
  inUse: ReadonlyMap<string, number> | undefined,
): CertificateRow {
  return {
    certificate: id,
    state,
    ...(startsAt !== undefined && { from: iso(startsAt) }),
    ...(certificate && { until: iso(certificate.expiresAt) }),
    ...(inUse && { subscriptions: inUse.get(id) ?? 0 }),
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}
