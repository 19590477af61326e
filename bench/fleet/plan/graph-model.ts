/** Graph's subscriptions as a model without waiting: what each call does to them, and what must not happen, counted. */

import type { ListedSubscription } from '../../../services/worker/src/subscriptions/renewal-plan.ts';
import type { KnownSubscription } from '../../../services/worker/src/subscriptions/subscription-store.ts';
import type { Wish } from '../../../services/worker/src/subscriptions/wanted-subscriptions.ts';
import { MINUTE_MS } from '../outages.ts';
import { WriteRate } from '../write-rate.ts';
import type { Changes } from './changes.ts';
import type { World } from './world.ts';

type Changeable<T> = { -readonly [K in keyof T]: T[K] };

/** One that lives or has lived. */
export type Made = {
  readonly id: string;
  /** By its place among the wishes. */
  readonly wish: number;
  readonly madeAt: number;
  goneAt: number;
  grantedAt: number;
  /** Before it was renewed last. */
  formerEnd: number;
  /** Nobody was told what came of the last call: its answer was lost, or its caller. */
  isCutOff: boolean;
  readonly shown: Changeable<ListedSubscription>;
};

export type Draft = Pick<ListedSubscription, 'nonce' | 'expiresAt'> & { readonly secret: string };

export type GraphModelOptions = {
  readonly world: World;
  readonly wishes: readonly Wish[];
  readonly changes: Changes;
  readonly refusesTwins: boolean;
  readonly known: (id: string) => KnownSubscription | undefined;
  readonly catchUpAt: () => number | undefined;
  /** Something of this wish was granted until then. */
  readonly onGranted: (wish: number, expiresAt: number) => void;
};

/** Clocks that were set by whole seconds differ by so much. */
const CLOCKS_APART_MS = 2000;
const SHORTEST_LIFE_MS = 45 * MINUTE_MS;

export class GraphModel {
  readonly writes = new WriteRate();
  readonly calls = { create: 0, renew: 0, delete: 0, list: 0 };
  /** As `Month` has them. */
  twins = 0;
  early = 0;
  repeated = 0;
  caughtUp = 0;
  private readonly options: GraphModelOptions;
  private readonly byId = new Map<string, Made>();
  private readonly byWish: Made[][];

  constructor(options: GraphModelOptions) {
    this.options = options;
    this.byWish = options.wishes.map(() => []);
  }

  get(id: string): Made | undefined {
    return this.byId.get(id);
  }

  all(): IterableIterator<Made> {
    return this.byId.values();
  }

  ofWish(wish: number): readonly Made[] {
    return this.byWish[wish] ?? [];
  }

  livingOf(wish: number): Made[] {
    return this.ofWish(wish).filter((one) => isLiving(one, this.options.world.now));
  }

  remove(id: string): void {
    const one = this.byId.get(id);
    if (!one || !isLiving(one, this.options.world.now)) return;
    one.goneAt = this.options.world.now;
    this.options.changes.note(one.wish);
  }

  /** Undefined where it is refused, since there is one. */
  create(wish: number, draft: Draft): Made | undefined {
    const { world, wishes, refusesTwins } = this.options;
    const { now } = world;
    const alike = this.livingOf(wish).length > 0;
    if (alike && refusesTwins) return undefined;
    if (alike) this.twins++;
    const { resource = '', changeType = '' } = wishes[wish] ?? {};
    const id = `made-${this.byId.size + 1}`;
    const expiresAt = grantedUntil(draft.expiresAt, now);
    const shown = { id, resource, changeType, nonce: draft.nonce, secret: draft.secret, expiresAt };
    const made = {
      ...{ id, wish, madeAt: now, goneAt: Number.POSITIVE_INFINITY, grantedAt: now },
      ...{ formerEnd: expiresAt, isCutOff: false, shown },
    };
    this.byId.set(id, made);
    this.byWish[wish]?.push(made);
    this.options.changes.note(wish);
    this.options.onGranted(wish, expiresAt);
    return made;
  }

  /** Undefined where there is none. */
  renew(id: string, expiresAt: number): Made | undefined {
    const { now } = this.options.world;
    const one = this.byId.get(id);
    if (!one || !isLiving(one, now)) return undefined;
    this.judge(one, now);
    one.formerEnd = one.shown.expiresAt;
    one.shown.expiresAt = grantedUntil(expiresAt, now);
    one.grantedAt = now;
    one.isCutOff = false;
    this.options.changes.note(one.wish);
    this.options.onGranted(one.wish, one.shown.expiresAt);
    return one;
  }

  /** Nothing is due before half of its life is over. */
  private judge({ id, shown: { expiresAt: end }, grantedAt: at, isCutOff }: Made, now: number): void {
    if (now - at >= (end - at) / 2 - MINUTE_MS) return;
    const { expiresAt, grantedAt = 0 } = this.options.known(id) ?? {};
    // What was adopted from the list instead is not known to be young.
    const isNoted = expiresAt === end && grantedAt >= at - CLOCKS_APART_MS;
    if (at < (this.options.catchUpAt() ?? 0) + CLOCKS_APART_MS) this.caughtUp++;
    else if (!isNoted && isCutOff) this.repeated++;
    else this.early++;
  }
}

function isLiving({ goneAt, shown }: Made, now: number): boolean {
  return goneAt > now && shown.expiresAt > now;
}

function grantedUntil(expiresAt: number, now: number): number {
  return Math.max(expiresAt, Math.round(now) + SHORTEST_LIFE_MS);
}

/** As it is at a time, also when it is read later. */
export class Listing extends Map<string, ListedSubscription> {
  /** As its reader dates it. */
  readonly at: number;
  readonly shownAt: number;
  private readonly tenantId: string;
  private readonly graph: GraphModel;
  private readonly wishes: readonly Wish[];

  constructor(of: {
    readonly graph: GraphModel;
    readonly wishes: readonly Wish[];
    readonly tenantId: string;
    readonly at: number;
    readonly shownAt: number;
  }) {
    super();
    this.graph = of.graph;
    this.wishes = of.wishes;
    this.tenantId = of.tenantId;
    this.at = of.at;
    this.shownAt = of.shownAt;
  }

  override get(id: string): ListedSubscription | undefined {
    const one = this.graph.get(id);
    return one && this.show(one);
  }

  override has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  ofWish(wish: number): ListedSubscription[] {
    return this.graph.ofWish(wish).flatMap((one) => this.show(one) ?? []);
  }

  private show({ wish, madeAt, goneAt, grantedAt, formerEnd, shown }: Made): ListedSubscription | undefined {
    if (madeAt > this.shownAt || goneAt <= this.shownAt) return undefined;
    if (this.wishes[wish]?.tenantId !== this.tenantId) return undefined;
    const isRenewedSince = grantedAt > this.shownAt;
    const end = isRenewedSince ? formerEnd : shown.expiresAt;
    if (end <= this.shownAt) return undefined;
    return isRenewedSince ? { ...shown, expiresAt: end } : shown;
  }
}
