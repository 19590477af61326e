/**
 * What Graph demands of a subscription lies beside what is known of it, so that who notes a demand and who renews at the
 * same time do not write over each other (`fleet-scripts.ts`: g2kDemand, g2kSaveSubscription).
 *
 * A demand is `renew`, `recreate`, or, where there is none, when it was renewed last: `renewed {epoch ms}`.
 */
export type Demand = 'renew' | 'recreate';

export function readDemand(value: string | null | undefined): Demand | undefined {
  return value === 'renew' || value === 'recreate' ? value : undefined;
}
