/** What the actions of one tenant are carried out with. */
import type { ClientStateSecrets, Logger } from '@graph2kafka/shared';
import type { EncryptionKeys } from '../rich/encryption-keys.ts';
import type { CloseHole } from './close-hole.ts';
import type { HeldFleet, WishRecord } from './fleet.ts';
import type { GraphCalls } from './graph-calls.ts';
import type { Listing } from './graph-list.ts';
import type { LearntLives } from './learnt-lives.ts';
import type { Circumstances } from './renewal-plan.ts';
import type { KnownSubscription } from './subscription-store.ts';

/** What is needed for the subscriptions of one tenant. */
export type WorkDeps = {
  readonly tenantId: string;
  readonly secrets: ClientStateSecrets['secrets'];
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  readonly encryption: Pick<EncryptionKeys, 'current'>;
  /** Told of a subscription that was found gone: what changed meanwhile was not notified. */
  readonly noteHole: (subscription: KnownSubscription) => Promise<void>;
  /** Has what a subscription watches read again. */
  readonly closeHole: CloseHole;
  readonly graph: GraphCalls;
  readonly fleet: HeldFleet;
  readonly lives: LearntLives;
  /** What was known of the wish before. */
  readonly recordOf: (wish: string) => WishRecord | undefined;
  /** Which wishes these subscriptions serve. */
  readonly servedBy: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Graph's list, also an older one, if it shows what is looked for; undefined where it may not be asked for now. */
  readonly listWith: (shows: (listing: Listing) => boolean) => Promise<Listing | undefined>;
  readonly seen: Circumstances;
  /** Why everything is renewed and read again at the moment, if it is. */
  readonly catchingUp: string | undefined;
  /** Redis was lost lately: a wish that seems to be new may have had a subscription. */
  readonly lostLately: string | undefined;
  readonly log: Logger;
  readonly now: () => number;
};

/** A request that was sent and not answered may still be worked; the handshake alone may take 10 s. */
export const SETTLE_MS = 60_000;
