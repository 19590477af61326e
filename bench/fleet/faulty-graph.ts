/** Graph's subscriptions in simulated time, as a model with faults, that counts what must not happen. */
import { GraphError } from '../../services/worker/src/graph/graph-error.ts';
import type { KnownSubscription } from '../../services/worker/src/subscriptions/subscription-store.ts';
import type {
  GraphSubscription,
  NewSubscription,
  SubscriptionsApi,
} from '../../services/worker/src/subscriptions/subscriptions-api.ts';
import type { SimulatedTime } from '../../services/worker/test/support/simulated-time.ts';
import { MINUTE_MS, type Outage } from './outages.ts';
import type { Randomness } from './randomness.ts';
import type { Caller } from './scheduler-process.ts';
import { WriteRate } from './write-rate.ts';

/** Shares of the calls. */
export type FaultRates = {
  readonly serverError: number;
  /** It is done, and the answer does not arrive. */
  readonly lost: number;
  readonly throttled: number;
};

export const FAULTS: FaultRates = { serverError: 0.01, lost: 0.005, throttled: 0.003 };

export type FaultyGraphOptions = {
  readonly time: SimulatedTime;
  readonly chance: Randomness;
  readonly outages: readonly Outage[];
  readonly faults: FaultRates;
  /** Whether it refuses a second equal one; in the field it does not always. */
  readonly refusesTwins: boolean;
  /** What the fleet knows of one, and when it began to catch up with what it had missed. */
  readonly known: (id: string) => KnownSubscription | undefined;
  readonly catchUpAt: () => number | undefined;
};

/** One that lives, and how it was granted last. */
type Living = GraphSubscription & {
  readonly tenantId: string;
  readonly grant: Grant;
};

type Grant = {
  readonly at: number;
  readonly caller: Caller;
  readonly stopsBefore: number;
  readonly isAnswerLost: boolean;
};

export type Lapse = { readonly id: string; readonly resource: string; readonly at: number };

const PAGE = 100;
const LATENCY_MS = 80;
/** Connecting to what is away. */
const AWAY_AFTER_MS = 3000;
/** A request whose answer is lost is given up. */
const GIVEN_UP_AFTER_MS = 10_000;
/** Graph tells its time in whole seconds: so far do two clocks that were set by it differ. */
const CLOCKS_APART_MS = 2000;
const SHORTEST_LIFE_MS = 45 * MINUTE_MS;

export class FaultyGraph {
  readonly lapses: Lapse[] = [];
  readonly writes = new WriteRate();
  readonly calls = { create: 0, renew: 0, delete: 0, list: 0 };
  /** Two equal ones lived at once. */
  twins = 0;
  /** PATCHes of one that was granted anew less than half of its life ago, and was noted so. */
  early = 0;
  /** The same, where what had come of the PATCH before was not known: answer lost, process killed or stopped. */
  repeated = 0;
  /** The same, since the fleet caught up with everything that had been granted before. */
  caughtUp = 0;
  private made = 0;
  private readonly living = new Map<string, Living>();
  private readonly byWatch = new Map<string, Set<string>>();
  private readonly options: FaultyGraphOptions;

  constructor(options: FaultyGraphOptions) {
    this.options = options;
  }

  /** The subscriptions of one tenant, as one process reaches them. */
  reachedBy(caller: Caller, tenantId: string): SubscriptionsApi {
    const write = <T>(name: 'create' | 'renew' | 'delete', work: (isLost: boolean) => T) => {
      this.writes.note(tenantId, this.options.time.now());
      return this.call(caller, name, work);
    };
    return {
      create: (draft) => write('create', (isLost) => this.create(tenantId, draft, caller, isLost)),
      renew: (id, expiresAt) => write('renew', (isLost) => this.renew(id, expiresAt, caller, isLost)),
      delete: (id) => write('delete', () => this.remove(id)),
      list: (beforePage) => this.list(caller, tenantId, beforePage),
    };
  }

  isAway(at = this.options.time.now()): boolean {
    return this.options.outages.some(({ from, to }) => from <= at && at < to);
  }

  all(): Iterable<GraphSubscription> {
    return this.living.values();
  }

  /** Of those that exist; undefined where there is none. */
  servingOf(tenantId: string, resource: string): GraphSubscription | undefined {
    const [id] = this.byWatch.get(`${tenantId} ${resource}`) ?? [];
    return id === undefined ? undefined : this.living.get(id);
  }

  /** What ended is gone, also without a call. */
  expire(): void {
    for (const one of this.living.values()) this.expireOne(one);
  }

  remove(id: string): void {
    const one = this.living.get(id);
    if (!one) return;
    this.living.delete(id);
    this.byWatch.get(watchOf(one.tenantId, one))?.delete(id);
  }

  private expireOne(one: Living): void {
    if (one.expirationDateTime > this.options.time.now()) return;
    this.remove(one.id);
    this.lapses.push({ id: one.id, resource: one.resource, at: one.expirationDateTime });
  }

  private async call<T>(
    caller: Caller,
    name: keyof FaultyGraph['calls'],
    work: (isLost: boolean) => T,
  ): Promise<T> {
    const { time, chance, faults } = this.options;
    this.calls[name]++;
    const askedAt = time.now();
    await time.sleep(this.isAway() ? AWAY_AFTER_MS : LATENCY_MS * chance.between(0.3, 1));
    if (this.isAway()) return answered<T>(caller, failed.away());
    if (chance.isHit(faults.serverError)) return answered<T>(caller, failed.away());
    if (chance.isHit(faults.throttled))
      return answered<T>(caller, failed.throttled(chance.between(1000, 60_000)));
    const isLost = chance.isHit(faults.lost);
    let answer: T | GraphError;
    try {
      answer = work(isLost);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      answer = error;
    }
    await time.sleep(isLost ? GIVEN_UP_AFTER_MS : LATENCY_MS * chance.between(0.3, 1));
    if (isLost) return answered<T>(caller, failed.away());
    const answeredAt = time.now();
    caller.clock.note(new Date((askedAt + answeredAt) / 2).toUTCString(), askedAt, answeredAt);
    return answered<T>(caller, answer);
  }

  private async list(
    caller: Caller,
    tenantId: string,
    beforePage: (() => Promise<void>) | undefined,
  ): Promise<GraphSubscription[]> {
    const all: GraphSubscription[] = [];
    for (let from = 0; ; from += PAGE) {
      await beforePage?.();
      // In the order in which they were made, so that pages neither repeat nor leave out what lives throughout.
      const page = await this.call(caller, 'list', () => {
        const ours = [...this.living.values()].filter((one) => one.tenantId === tenantId);
        return ours.slice(from, from + PAGE);
      });
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  }

  private create(
    tenantId: string,
    draft: NewSubscription,
    caller: Caller,
    isLost: boolean,
  ): GraphSubscription {
    const { resource, changeType, notificationUrl, clientState, expiresAt } = draft;
    const watch = watchOf(tenantId, draft);
    const alike = this.byWatch.get(watch) ?? new Set();
    for (const id of [...alike]) {
      const one = this.living.get(id);
      if (one) this.expireOne(one);
    }
    if (alike.size > 0 && this.options.refusesTwins) throw failed.conflict();
    if (alike.size > 0) this.twins++;
    const id = `made-${++this.made}`;
    const expirationDateTime = this.grantedUntil(expiresAt);
    const grant = this.grantTo(caller, isLost);
    const one = { id, resource, changeType, notificationUrl, clientState, expirationDateTime };
    this.living.set(id, { ...one, tenantId, grant });
    this.byWatch.set(watch, alike.add(id));
    return one;
  }

  private renew(id: string, expiresAt: number, caller: Caller, isLost: boolean): GraphSubscription {
    const before = this.living.get(id);
    if (before) this.expireOne(before);
    const one = this.living.get(id);
    if (!one) throw failed.notFound();
    this.judge(one);
    const expirationDateTime = this.grantedUntil(expiresAt);
    const renewed = { ...one, expirationDateTime, grant: this.grantTo(caller, isLost) };
    this.living.set(id, renewed);
    return renewed;
  }

  /** Nothing is due before half of its life is over. */
  private judge({ id, expirationDateTime, grant }: Living): void {
    const { time, known, catchUpAt } = this.options;
    const half = (expirationDateTime - grant.at) / 2;
    if (time.now() - grant.at >= half - MINUTE_MS) return;
    const { expiresAt, grantedAt = 0 } = known(id) ?? {};
    // What was adopted from the list instead is not known to be young.
    const isNoted = expiresAt === expirationDateTime && grantedAt >= grant.at - CLOCKS_APART_MS;
    const wasCutOff = grant.isAnswerLost || grant.caller.isDead || grant.caller.stops > grant.stopsBefore;
    if (grant.at < (catchUpAt() ?? 0) + CLOCKS_APART_MS) this.caughtUp++;
    else if (!isNoted && wasCutOff) this.repeated++;
    else this.early++;
  }

  private grantedUntil(expiresAt: number): number {
    return Math.max(expiresAt, Math.round(this.options.time.now()) + SHORTEST_LIFE_MS);
  }

  private grantTo(caller: Caller, isAnswerLost: boolean): Grant {
    return { at: this.options.time.now(), caller, stopsBefore: caller.stops, isAnswerLost };
  }
}

async function answered<T>(caller: Caller, answer: T | GraphError): Promise<T> {
  await caller.step();
  if (answer instanceof GraphError) throw answer;
  return answer;
}

function watchOf(tenantId: string, { resource }: { readonly resource: string }): string {
  return `${tenantId} ${resource}`;
}

const failed = {
  away: () => new GraphError({ kind: 'transient', detail: 'no answer' }),
  throttled: (ms: number) =>
    new GraphError({ kind: 'throttled', retryAfterMs: Math.round(ms), scope: 'app' }),
  notFound: () => new GraphError({ kind: 'notFound' }),
  conflict: () => {
    const said = { code: 'ExtensionError', message: 'Operation: Create; [Status Code: Conflict]' };
    const { code, message: detail } = said;
    return new GraphError({ kind: 'rejected', status: 409, code, detail }, { said });
  },
};
