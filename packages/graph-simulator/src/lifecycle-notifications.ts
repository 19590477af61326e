// Tells apps of their subscriptions' life: what Graph sends to lifecycleNotificationUrl, when, and what follows.
//
// Graph page "Reduce missing subscriptions and change notifications" (March 2026). A subscription is authorized for as
// long as the token with which it was made, renewed or reauthorized last. Before that ends, or its life does, it is
// challenged; where no challenge is answered, its notifications pause. Without a lifecycleNotificationUrl nothing is
// sent, and nothing pauses: whoever cannot be asked cannot fail to answer.
import type { SubscriptionAction } from './change-log.ts';
import {
  hasLifecycleEvent,
  type LifecycleEvent,
  type LifecycleItem,
  lifecycleItem,
} from './lifecycle-item.ts';
import type { Clock, ClockTimer } from './simulator-clock.ts';
import type { Subscription, SubscriptionStore } from './subscription-store.ts';

export interface LifecycleSettings {
  /** False: challenges go out, and delivery pauses, by `reauthorizationRequired(id)` alone. */
  readonly areChallengesAutomatic: boolean;
  /** The page's formula takes a quarter of the time that is left: challenges begin at 180 minutes, so at 12 hours … */
  readonly challengeBelowMs: number;
  /** … then each after half of that quarter; below 60 minutes, so below 4 hours … */
  readonly denseBelowMs: number;
  /** … one after each 15 minutes. */
  readonly denseEveryMs: number;
  /** The last comes so long before the end, when a client has a new token. Graph documents no number. */
  readonly lastBeforeEndMs: number;
  /** "The flow of change notifications might continue for a while": so long after the first unanswered challenge. */
  readonly patienceMs: number;
  /**
   * What is notified in a pause: "lose" after that page; "hold" after the page "Receive change notifications through
   * webhooks", which says that it is sent where the token is refreshed within 4 hours.
   */
  readonly whilePaused: 'lose' | 'hold';
  /** One "missed" tells of all that was given up; the next comes no sooner than this. Graph documents no number. */
  readonly missedEveryMs: number;
}

const MINUTE_MS = 60_000;

export const GRAPH_LIFECYCLE: LifecycleSettings = {
  areChallengesAutomatic: true,
  challengeBelowMs: 4 * 180 * MINUTE_MS,
  denseBelowMs: 4 * 60 * MINUTE_MS,
  denseEveryMs: 15 * MINUTE_MS,
  lastBeforeEndMs: 2 * MINUTE_MS,
  patienceMs: 15 * MINUTE_MS,
  whilePaused: 'lose',
  missedEveryMs: 10 * MINUTE_MS,
};

/** A notice that cannot be sent; the text says why. */
export class NoLifecycleError extends Error {
  override readonly name = 'NoLifecycleError';
}

/** Waiting and the time of day differ by fractions, after which the same challenge must not go out again. */
const SLACK_MS = 1_000;

/** How long after now the next challenge goes out, with so much time left; undefined where none does any more. */
export function nextChallengeMs(settings: LifecycleSettings, leftMs: number): number | undefined {
  if (leftMs <= settings.lastBeforeEndMs + SLACK_MS) return undefined;
  if (leftMs > settings.challengeBelowMs + SLACK_MS) return leftMs - settings.challengeBelowMs;
  const waitMs = leftMs > settings.denseBelowMs ? leftMs / 8 : settings.denseEveryMs;
  return Math.min(waitMs, leftMs - settings.lastBeforeEndMs);
}

export interface LifecycleDeps {
  readonly settings: LifecycleSettings;
  readonly subscriptions: SubscriptionStore;
  readonly clock: Clock;
  readonly send: (item: LifecycleItem) => void;
  /** Lets go what was held back in a pause. */
  readonly release: (subscriptionId: string) => void;
}

interface Watched {
  nextChallenge: ClockTimer | undefined;
  /** Of the first challenge since the subscription was authorized for longer than before. */
  challengedAtMs: number | undefined;
  authorizedUntilMs: number;
  nextMissed: ClockTimer | undefined;
  hasMissedMore: boolean;
}

/** An answer with the token that is about to end authorizes for no longer than before. */
function answered(watched: Watched, { authorizedUntilMs }: Subscription): void {
  if (authorizedUntilMs > watched.authorizedUntilMs) watched.challengedAtMs = undefined;
  watched.authorizedUntilMs = Math.max(authorizedUntilMs, watched.authorizedUntilMs);
}

export class LifecycleNotifications {
  readonly #deps: LifecycleDeps;
  readonly #watched = new Map<string, Watched>();

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
  }

  /** @throws {NoLifecycleError} no such subscription, or it has no lifecycleNotificationUrl */
  reauthorizationRequired(id: string): void {
    this.#challenge(this.#reachable(id, 'reauthorizationRequired'));
  }

  /** @throws {NoLifecycleError} as above, or Graph sends no "missed" for that resource */
  missed(id: string): void {
    this.#send(this.#reachable(id, 'missed'), 'missed');
  }

  /**
   * Takes the subscription away, as Graph does where it may not go on, and says so if there is an address and Graph
   * says so for that resource.
   * @returns whether a notice is sent
   * @throws {NoLifecycleError} no such subscription
   */
  removeSubscription(id: string): boolean {
    const subscription = this.#known(id);
    this.#deps.subscriptions.remove(id, 'removed');
    if (subscription.lifecycleNotificationUrl === null) return false;
    if (!hasLifecycleEvent('subscriptionRemoved', subscription.path)) return false;
    this.#send(subscription, 'subscriptionRemoved');
    return true;
  }

  /** A challenge was not answered, or with the old token alone, and that has ended. */
  isPaused(id: string): boolean {
    const challengedAtMs = this.#watched.get(id)?.challengedAtMs;
    if (challengedAtMs === undefined) return false;
    const subscription = this.#deps.subscriptions.get(id);
    if (subscription === undefined) return false;
    const pausesAtMs = Math.max(
      subscription.authorizedUntilMs,
      challengedAtMs + this.#deps.settings.patienceMs,
    );
    return this.#deps.clock.now() >= pausesAtMs;
  }

  /** To be called with every change of a subscription. */
  note(action: SubscriptionAction, subscription: Subscription): void {
    const isAuthorized = action === 'created' || action === 'renewed' || action === 'reauthorized';
    const watched = this.#watched.get(subscription.id);
    watched?.nextChallenge?.cancel();
    if (isAuthorized) {
      if (watched !== undefined) answered(watched, subscription);
      this.#scheduleChallenge(subscription);
    } else {
      watched?.nextMissed?.cancel();
      this.#watched.delete(subscription.id);
    }
    if (!this.isPaused(subscription.id)) this.#deps.release(subscription.id);
  }

  /** A notification will never arrive: says so at once, or with others a while after the last time. */
  noteLost(id: string): void {
    const subscription = this.#deps.subscriptions.get(id);
    if (subscription === undefined || subscription.lifecycleNotificationUrl === null) return;
    if (!hasLifecycleEvent('missed', subscription.path)) return;
    const watched = this.#watch(id, subscription.authorizedUntilMs);
    if (watched.nextMissed !== undefined) {
      watched.hasMissedMore = true;
      return;
    }
    this.#send(subscription, 'missed');
    watched.nextMissed = this.#deps.clock.after(this.#deps.settings.missedEveryMs, () => {
      watched.nextMissed = undefined;
      if (!watched.hasMissedMore) return;
      watched.hasMissedMore = false;
      this.noteLost(id);
    });
  }

  close(): void {
    for (const { nextChallenge, nextMissed } of this.#watched.values()) {
      nextChallenge?.cancel();
      nextMissed?.cancel();
    }
    this.#watched.clear();
  }

  #scheduleChallenge({ id, authorizedUntilMs, expiresAtMs, lifecycleNotificationUrl }: Subscription): void {
    const { settings, clock, subscriptions } = this.#deps;
    if (!settings.areChallengesAutomatic || lifecycleNotificationUrl === null) return;
    const delayMs = nextChallengeMs(settings, Math.min(authorizedUntilMs, expiresAtMs) - clock.now());
    if (delayMs === undefined) return;
    this.#watch(id, authorizedUntilMs).nextChallenge = clock.after(delayMs, () => {
      const current = subscriptions.get(id);
      if (current === undefined) return;
      this.#challenge(current);
      this.#scheduleChallenge(current);
    });
  }

  #challenge(subscription: Subscription): void {
    const watched = this.#watch(subscription.id, subscription.authorizedUntilMs);
    watched.challengedAtMs ??= this.#deps.clock.now();
    this.#send(subscription, 'reauthorizationRequired');
  }

  #send(subscription: Subscription, event: LifecycleEvent): void {
    const url = subscription.lifecycleNotificationUrl;
    if (url !== null) this.#deps.send(lifecycleItem(subscription, url, event));
  }

  #known(id: string): Subscription {
    const subscription = this.#deps.subscriptions.get(id);
    if (subscription === undefined) throw new NoLifecycleError(`There is no subscription ${id}.`);
    return subscription;
  }

  #reachable(id: string, event: LifecycleEvent): Subscription {
    const subscription = this.#known(id);
    if (subscription.lifecycleNotificationUrl === null) {
      throw new NoLifecycleError(`Subscription ${id} has no lifecycleNotificationUrl.`);
    }
    if (!hasLifecycleEvent(event, subscription.path)) {
      throw new NoLifecycleError(`Graph sends no ${event} for ${subscription.resource}.`);
    }
    return subscription;
  }

  #watch(id: string, authorizedUntilMs: number): Watched {
    const known = this.#watched.get(id);
    if (known !== undefined) return known;
    const made: Watched = {
      nextChallenge: undefined,
      challengedAtMs: undefined,
      authorizedUntilMs,
      nextMissed: undefined,
      hasMissedMore: false,
    };
    this.#watched.set(id, made);
    return made;
  }
}
