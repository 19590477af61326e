/** How far the living subscriptions have got with new clientState secrets and new certificates. Pure. */
import type { HeldKey } from '../rich/private-keys.ts';
import type { FleetCounts } from './fleet.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { FormerCertificate, KnownSubscription } from './subscription-store.ts';

export type SecretsInUse = {
  /** Subscriptions that carry the first of the secrets. */
  readonly current: number;
  /** Those that carry another, or one that is not known: they are made anew in time. */
  readonly old: number;
  /** Those of them that were replaced; what Graph redelivers for 4 hours still comes with an old secret. */
  readonly replaced: number;
};

/** `tenants`: with their secrets, of which the first signs. */
export function secretsInUseOf(
  { subscriptions }: Pick<FleetCounts, 'subscriptions'>,
  tenants: readonly { readonly tenantId: string; readonly secrets: readonly string[] }[],
): SecretsInUse {
  const newest = new Map(
    tenants.map(({ tenantId, secrets: [first = ''] }) => [tenantId, secretFingerprint(first)]),
  );
  const sums = { current: 0, old: 0, replaced: 0 };
  for (const { is, tenantId, secret, count } of subscriptions) {
    const isNewest = newest.get(tenantId) === secret;
    if (is === 'serving') sums[isNewest ? 'current' : 'old'] += count;
    else if (!isNewest) sums.replaced += count;
  }
  return sums;
}

/** Whether the last one that needed an old secret went between the two. */
export function wereFreed(before: SecretsInUse, after: SecretsInUse): boolean {
  const needing = ({ old, replaced }: SecretsInUse) => old + replaced;
  return needing(before) > 0 && needing(after) === 0;
}

/** Graph redelivers for 4 hours, and what came may wait here for 4 more. */
const MET_FOR_MS = 8 * 3_600_000;

/** Whether notifications that were encrypted for it may still have to be opened. */
export function isStillMet({ until }: FormerCertificate, now: number): boolean {
  return now - until <= MET_FOR_MS;
}

/** Subscriptions whose notifications may need a key, by its id; a replaced one counts while it is remembered. */
export function certificatesInUse(known: readonly KnownSubscription[], now: number): Map<string, number> {
  const ids = known.flatMap(({ certificateId, formerCertificates = [], replacedAt }) => {
    const isMet = replacedAt === undefined || isStillMet({ id: '', until: replacedAt }, now);
    const former = formerCertificates.filter((one) => isStillMet(one, now)).map(({ id }) => id);
    const own = certificateId !== undefined && isMet ? [certificateId] : [];
    return [...new Set([...own, ...former])];
  });
  return new Map([...Map.groupBy(ids, (id) => id)].map(([id, all]) => [id, all.length]));
}

export type CertificateInUse = {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Subscriptions whose notifications may need its key. */
  readonly subscriptions: number;
};

export function certificatesOf(
  held: readonly HeldKey[],
  inUse: ReadonlyMap<string, number>,
): CertificateInUse[] {
  return held.flatMap(({ id, certificate }) =>
    certificate ? [{ id, expiresAt: certificate.expiresAt, subscriptions: inUse.get(id) ?? 0 }] : [],
  );
}
