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
  /** Grows with each one that is made. */
  readonly made: number;
  readonly grant: Grant;
};

type Grant = {
  readonly at: number;
  readonly isAnswerLost: boolean;
  readonly asked: Asked;
};

/** Who asked, and how often that had been stopped by then: also one that stands still already notes nothing of the answer. */
type Asked = { readonly caller: Caller; readonly stopsBefore: number };

export type Lapse = { readonly id: string; readonly resource: string; readonly at: number };

const MADE = 'made-';
const PAGE = 100;
const PAGE_TRIES = 3;
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
  /** By tenant in the order in which they were made; what is gone is left out when the list is next asked for. */
  private readonly ids = new Map<string, string[]>();
  private readonly ends = new Ends();
  private readonly byWatch = new Map<string, Set<string>>();
  private readonly options: FaultyGraphOptions;

  constructor(options: FaultyGraphOptions) {
    this.options = options;
  }

  /** The subscriptions of one tenant, as one process reaches them. */
  reachedBy(caller: Caller, tenantId: string): SubscriptionsApi {
    const write = <T>(name: 'create' | 'renew' | 'delete', work: (isLost: boolean, asked: Asked) => T) => {
      this.writes.note(tenantId, this.options.time.now());
      const asked = { caller, stopsBefore: caller.stops - (caller.isStopped ? 1 : 0) };
      return this.call(caller, name, (isLost) => work(isLost, asked));
    };
    return {
      create: (draft) => write('create', (...sent) => this.create(tenantId, draft, ...sent)),
      renew: (id, expiresAt) => write('renew', (...sent) => this.renew(id, expiresAt, ...sent)),
      delete: (id) => write('delete', () => this.remove(id)),
      list: (beforeTry, onPage) => this.list(caller, tenantId, beforeTry, onPage),
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
    for (const id of this.ends.until(this.options.time.now())) {
      const one = this.living.get(id);
      if (one) this.expireOne(one);
    }
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
    caller.clock.note(dateHeader((askedAt + answeredAt) / 2), askedAt, answeredAt);
    return answered<T>(caller, answer);
  }

  private async list(
    caller: Caller,
    tenantId: string,
    beforeTry: (() => Promise<void>) | undefined,
    onPage: (() => void) | undefined,
  ): Promise<GraphSubscription[]> {
    const all: GraphSubscription[] = [];
    for (let after = 0; ; ) {
      const page = await this.askedAgain(caller, beforeTry, () => this.page(tenantId, after));
      onPage?.();
      for (const one of page) all.push(one);
      if (page.length < PAGE) return all;
      after = page.at(-1)?.made ?? after;
    }
  }

  /** As `subscriptions-api.ts` does it. */
  private async askedAgain<T>(
    caller: Caller,
    beforeTry: (() => Promise<void>) | undefined,
    work: () => T,
  ): Promise<T> {
    for (let nth = 1; ; nth++) {
      await beforeTry?.();
      try {
        return await this.call(caller, 'list', work);
      } catch (error) {
        const isTransient = error instanceof GraphError && error.failure.kind === 'transient';
        if (!isTransient || nth === PAGE_TRIES) throw error;
      }
    }
  }

  /** In the order in which they were made, so that pages neither repeat nor leave out what lives throughout. */
  private page(tenantId: string, after: number): Living[] {
    const ids = this.ids.get(tenantId) ?? [];
    const page: Living[] = [];
    for (let nth = placeAfter(ids, after); nth < ids.length && page.length < PAGE; nth++) {
      const one = this.living.get(ids[nth] ?? '');
      if (one) page.push(one);
    }
    return page;
  }

  private create(tenantId: string, draft: NewSubscription, isLost: boolean, asked: Asked): GraphSubscription {
    const { resource, changeType, notificationUrl, clientState, expiresAt } = draft;
    const watch = watchOf(tenantId, draft);
    const alike = this.byWatch.get(watch) ?? new Set();
    for (const id of [...alike]) {
      const one = this.living.get(id);
      if (one) this.expireOne(one);
    }
    if (alike.size > 0 && this.options.refusesTwins) throw failed.conflict();
    if (alike.size > 0) this.twins++;
    const made = ++this.made;
    const id = `${MADE}${made}`;
    const expirationDateTime = this.grantedUntil(expiresAt);
    const grant = this.grantTo(asked, isLost);
    const one = { id, resource, changeType, notificationUrl, clientState, expirationDateTime };
    this.living.set(id, { ...one, tenantId, made, grant });
    this.byWatch.set(watch, alike.add(id));
    this.ends.set(id, expirationDateTime);
    const ids = this.ids.get(tenantId) ?? [];
    ids.push(id);
    this.ids.set(tenantId, ids);
    return one;
  }

  private renew(id: string, expiresAt: number, isLost: boolean, asked: Asked): GraphSubscription {
    const before = this.living.get(id);
    if (before) this.expireOne(before);
    const one = this.living.get(id);
    if (!one) throw failed.notFound();
    this.judge(one);
    const expirationDateTime = this.grantedUntil(expiresAt);
    const renewed = { ...one, expirationDateTime, grant: this.grantTo(asked, isLost) };
    this.living.set(id, renewed);
    this.ends.set(id, expirationDateTime);
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
    const { caller, stopsBefore } = grant.asked;
    const wasCutOff = grant.isAnswerLost || caller.isDead || caller.stops > stopsBefore;
    if (grant.at < (catchUpAt() ?? 0) + CLOCKS_APART_MS) this.caughtUp++;
    else if (!isNoted && wasCutOff) this.repeated++;
    else this.early++;
  }

  private grantedUntil(expiresAt: number): number {
    return Math.max(expiresAt, Math.round(this.options.time.now()) + SHORTEST_LIFE_MS);
  }

  private grantTo(asked: Asked, isAnswerLost: boolean): Grant {
    return { at: this.options.time.now(), isAnswerLost, asked };
  }
}

async function answered<T>(caller: Caller, answer: T | GraphError): Promise<T> {
  await caller.step();
  if (answer instanceof GraphError) throw answer;
  return answer;
}

/** Of the first that was made later. */
function placeAfter(ids: readonly string[], made: number): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(ids[middle]?.slice(MADE.length)) > made) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Ids by the minute in which they may end: one that was renewed since is in another minute as well. */
class Ends {
  private readonly byMinute = new Map<number, string[]>();
  private seenUntil = Number.POSITIVE_INFINITY;

  set(id: string, at: number): void {
    const minute = Math.ceil(at / MINUTE_MS);
    const ids = this.byMinute.get(minute);
    if (ids) ids.push(id);
    else this.byMinute.set(minute, [id]);
    this.seenUntil = Math.min(this.seenUntil, minute);
  }

  until(now: number): string[] {
    const found: string[] = [];
    for (; this.seenUntil * MINUTE_MS <= now; this.seenUntil++) {
      found.push(...(this.byMinute.get(this.seenUntil) ?? []));
      this.byMinute.delete(this.seenUntil);
    }
    return found;
  }
}

let lastHeader = { second: 0, text: '' };

function dateHeader(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastHeader.second) lastHeader = { second, text: new Date(ms).toUTCString() };
  return lastHeader.text;
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
