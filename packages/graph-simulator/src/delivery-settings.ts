// How notifications are delivered: Graph's numbers where it documents any.
import { type EndpointRules, GRAPH_ENDPOINT_RULES } from './endpoint-rating.ts';

export interface DeliverySettings {
  /** Items of one POST at most. Graph documents no maximum; 20 is a plausible batch. */
  readonly maxItemsPerPost: number;
  /** How long the first item of a POST waits for company. */
  readonly collectMs: number;
  /** Graph page "Receive change notifications through webhooks" (April 2026): 3 s for the first attempt, then 10 s. */
  readonly firstTimeoutMs: number;
  readonly retryTimeoutMs: number;
  /**
   * The wait after the first failure; it doubles with each further one, up to retryCapMs. Graph does not document its
   * own, which is longer: short ones show a receiver's behaviour within a test's patience.
   */
  readonly retryBaseMs: number;
  readonly retryCapMs: number;
  /** Same page: retried for up to 4 hours, then gone. */
  readonly retryForMs: number;
  /** POSTs under way at once for one endpoint. */
  readonly maxConcurrentPosts: number;
  /** When an endpoint counts as slow, and what follows. */
  readonly endpoints: EndpointRules;
}

export const DEFAULT_DELIVERY: DeliverySettings = {
  maxItemsPerPost: 20,
  collectMs: 20,
  firstTimeoutMs: 3_000,
  retryTimeoutMs: 10_000,
  retryBaseMs: 500,
  retryCapMs: 60_000,
  retryForMs: 4 * 60 * 60 * 1000,
  maxConcurrentPosts: 8,
  endpoints: GRAPH_ENDPOINT_RULES,
};

/** The wait after the n-th failed attempt (n from 1): base, 2 base, 4 base … with up to a fifth more or less. */
export function retryDelayMs(settings: DeliverySettings, attempt: number, random: number): number {
  const delayMs = Math.min(settings.retryBaseMs * 2 ** (attempt - 1), settings.retryCapMs);
  // Spread, since batches that failed together would else come back together.
  return delayMs * (0.8 + 0.4 * random);
}
