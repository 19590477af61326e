/**
 * One reconciliation, under its lease: Graph's lists where they are needed, the sweep, and then all that is due, page by page.
 */
import { randomUUID } from 'node:crypto';
import { carryOut, type WorkDeps } from './carry-out.ts';
import { type Held, MOST_NEW_CERTIFICATES, MOST_NEW_SECRETS } from './changeover.ts';
import { eachOf } from './each-of.ts';
import {
  type CatchUpReason,
  type FleetState,
  type HeldFleet,
  LeaseLostError,
  type WishRecord,
} from './fleet.ts';
import { createGraphCalls, type GraphCalls, HeldUpError } from './graph-calls.ts';
import { findOrphans, indexed, type Listing } from './graph-list.ts';
import { createGraphLists, type GraphLists } from './graph-lists.ts';
import { createLearntLives, type LearntLives } from './learnt-lives.ts';
import { CHANGEOVER_EVERY_MS, nextLook, servingOf } from './next-look.ts';
import type { ReconcileDeps, ReconcileReport, TenantDeps } from './reconcile.ts';
import {
  type Action,
  type Circumstances,
  type ListedSubscription,
  planRenewal,
  watchKey,
} from './renewal-plan.ts';
import { REMEMBER_MS, retryAt } from './renewal-time.ts';
import {
  certificatesInUse,
  certificatesOf,
  type SecretsInUse,
  secretsInUseOf,
  wereFreed,
} from './rotations.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { KnownSubscription } from './subscription-store.ts';
import { findCatchUp, isOutdated, type Memory, type Present, whatIsNeeded } from './sweep-need.ts';
import { explainTrouble, TROUBLES, type Trouble } from './troubles.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { fingerprintOf, wishByKey } from './wish-fingerprints.ts';

/** After Redis was lost, wishes that are served for the first time in so long may have had a subscription before. */
const LOST_FOR_MS = 86_400_000;
/** A subscription that was let go for its secret and could not be made anew stops the others for so long. */
const SETBACK_MS = 600_000;
/** Calls under way at once; the pace is kept beside. */
const AT_ONCE = 10;
/** Wishes that are read, planned and noted together. */
const PAGE = 200;
/** So often it is noted that somebody reconciles. */
export const ALIVE_EVERY_MS = 300_000;

const CATCH_UP: Readonly<Record<CatchUpReason, string>> = {
  away: 'nobody renewed it in time to answer Graph’s challenges',
  lost: 'Redis was emptied, or is an older copy',
};

/** What is said by certificate takes a look at everything, and is left out where there was none. */
type SessionReport = Omit<ReconcileReport, 'certificates'> & Partial<Pick<ReconcileReport, 'certificates'>>;

/** One reconciliation, under its lease. */
export class Reconciliation {
  private readonly deps: ReconcileDeps;
  private readonly fleet: HeldFleet;
  private readonly tenants: ReadonlyMap<string, TenantDeps>;
  private readonly calls: ReadonlyMap<string, GraphCalls>;
  private readonly wishes: ReadonlyMap<string, Wish>;
  private readonly unread: readonly string[];
  private readonly lives: LearntLives;
  private readonly lists: GraphLists;
  private readonly listedNow = new Set<string>();
  /** Tenants in which nothing may be made: what exists at Graph is not known. */
  private readonly blind = new Set<string>();
  /** By tenant; what is replaced meanwhile is for the next reconciliation. */
  private readonly held = new Map<string, Held>();
  private present: Present;
  private state: FleetState;
  private readonly done = { create: 0, renew: 0, amend: 0, close: 0, adopt: 0, delete: 0, forget: 0 };
  private swept = 0;
  private worked = 0;
  private readonly startedAt: number;
  private readonly failed: string[] = [];
  private readonly heldUp = new Map<string, number>();
  private hasChangedCertificates = false;

  constructor(
    deps: ReconcileDeps,
    fleet: HeldFleet,
    tenants: readonly TenantDeps[],
    wishes: readonly Wish[],
    present: Present,
  ) {
    this.deps = deps;
    this.fleet = fleet;
    this.tenants = new Map(tenants.map((tenant) => [tenant.tenantId, tenant]));
    this.calls = new Map(
      tenants.map(({ api, tenantId }) => [
        tenantId,
        createGraphCalls({ api, tenantId, pace: deps.pace, check: fleet.check, sleep: deps.sleep }),
      ]),
    );
    this.wishes = wishByKey(wishes);
    this.unread = deps.wishes.unread?.() ?? [];
    this.present = present;
    this.state = present.state;
    this.lives = createLearntLives(present.state.lives ?? {}, fleet, deps.log);
    this.lists = createGraphLists({
      marksOf: (tenantId) => this.tenants.get(tenantId),
      callsOf: (tenantId) => this.calls.get(tenantId),
      asked: present.state.lists ?? {},
      fleet,
      now: deps.now,
    });
    this.startedAt = deps.now();
  }

  memory(): Memory {
    return { generation: this.state.generation, aliveAt: this.state.aliveAt ?? 0 };
  }

  async run(): Promise<SessionReport> {
    const tenants = [...this.tenants.values()];
    const before = secretsInUseOf(await this.fleet.counts(), tenants);
    const need = whatIsNeeded(this.present);
    for (const tenantId of need.lists) await this.list(tenantId);
    // Graph's answers tell its time.
    const clockIsSure = this.deps.clockIsSure?.() ?? true;
    this.present = { ...this.present, now: this.deps.now(), clockIsSure };
    let records = need.sweep ? await this.fleet.all() : undefined;
    await this.noteState(records, need.sweep);
    if (records) await this.sweep(records, need.again);
    await this.workAllDue();
    if (records && !this.deps.stopping?.aborted) await this.sweepOrphans();
    if (records || this.hasChangedCertificates) records = await this.fleet.all();
    // What a stop has left is due, but what the list told of it is not kept.
    if (need.sweep && !this.deps.stopping?.aborted) await this.noteSwept();
    await this.fleet.setProgress(undefined);
    return this.report(before, records);
  }

  private async report(
    before: SecretsInUse,
    records: readonly WishRecord[] | undefined,
  ): Promise<SessionReport> {
    const { encryption, now } = this.deps;
    const bySecret = secretsInUseOf(await this.fleet.counts(), [...this.tenants.values()]);
    const { create: created, renew: renewed, adopt: adopted, delete: deleted } = this.done;
    const known = records?.flatMap(({ subscriptions }) => subscriptions);
    return {
      ...{ wanted: this.wishes.size, created, renewed, adopted, deleted, swept: this.swept },
      listed: this.listedNow.size === this.tenants.size,
      failed: this.failed,
      bySecret,
      oldSecretsFreed: wereFreed(before, bySecret),
      ...(known && { certificates: certificatesOf(encryption.held(), certificatesInUse(known, now())) }),
    };
  }

  /** Renewals must not wait for a list that Graph does not give; without it the plan goes by what is known. */
  private async list(tenantId: string): Promise<void> {
    try {
      await this.lists.ask(tenantId);
      this.listedNow.add(tenantId);
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      this.failed.push(`list: ${error instanceof Error ? error.message : 'unknown error'}`);
      this.deps.log.error({ tenant: tenantId, err: error }, 'subscription.list-failed');
    }
  }

  // — what is known of the whole —

  private async noteState(records: readonly WishRecord[] | undefined, isSwept: boolean): Promise<void> {
    const { log, now } = this.deps;
    const tenantIds = [...this.tenants.keys()];
    if (this.state.generation === undefined) {
      for (const id of tenantIds) if (this.lists.of(id) === undefined) this.blind.add(id);
    }
    const why = findCatchUp(this.present, records !== undefined && this.showsOutdated(records));
    const changed: { -readonly [K in keyof FleetState]?: FleetState[K] } = {};
    if (why) {
      changed.catchUp = { at: now(), why };
      log.warn({ why: CATCH_UP[why] }, 'subscription.catching-up');
    }
    // As long as a tenant could not be listed, it may still show that Redis was emptied.
    if (this.state.generation === undefined && this.blind.size === 0 && isSwept)
      changed.generation = randomUUID();
    if (this.present.clockIsSure) changed.aliveAt = now();
    this.state = { ...this.state, ...changed };
    await this.fleet.setState(changed);
    // Nothing that is due for it may be overlooked.
    if (why && !records) await this.sweep(await this.fleet.all(), false);
  }

  private showsOutdated(records: readonly WishRecord[]): boolean {
    const known = new Map(records.flatMap(({ subscriptions }) => subscriptions.map((one) => [one.id, one])));
    const intents = new Set(records.flatMap(({ intent }) => intent?.nonce ?? []));
    const inTrouble = new Set(
      records.flatMap(({ trouble, subscriptions }) => (trouble ? subscriptions.map(({ id }) => id) : [])),
    );
    const wanted = new Set([...this.wishes.values()].map(watchKey));
    return isOutdated(
      [...this.tenants.keys()].flatMap((id) => this.lists.of(id) ?? []),
      known,
      (one) => wanted.has(watchKey(one)) && !inTrouble.has(one.id) && one.elsewhere === undefined,
      (nonce) => intents.has(nonce),
      this.state.generation === undefined,
    );
  }

  /** Decides when each wish is to be looked at; the work itself is done page by page. */
  private async sweep(records: readonly WishRecord[], again: boolean): Promise<void> {
    const now = this.deps.now();
    const byWish = new Map(records.map((record) => [record.wish, record]));
    for (const key of this.wishes.keys())
      if (!byWish.has(key)) byWish.set(key, { wish: key, subscriptions: [] });
    const planned = await this.plan([...byWish.values()]);
    const atOnce = new Set(planned.map(wishOf));
    // What Graph's list shows of it may not be known any more when it is tried again.
    const adoptable = new Set(planned.filter((action) => action.do === 'adopt').map(wishOf));
    const at = new Map<string, number | undefined>();
    const changeovers: WishRecord[] = [];
    for (const record of byWish.values()) {
      const due = this.nextOf(record, now);
      const isFree = again || !record.trouble || adoptable.has(record.wish) || this.isForAnother(record);
      if (due.forChangeover) changeovers.push(record);
      else if (atOnce.has(record.wish) && isFree) at.set(record.wish, Math.min(now, due.at ?? now));
      else at.set(record.wish, due.at);
    }
    this.spread(changeovers, atOnce, now, at);
    for (const record of byWish.values()) await this.cleanUp(record, now);
    for (const { wish, dueAt } of records) if (at.get(wish) === dueAt) at.delete(wish);
    await this.fleet.schedule(at);
  }

  /** What is left of wishes that are gone, and of tenants that are served no more. */
  private async cleanUp(record: WishRecord, now: number): Promise<void> {
    const { wish, subscriptions, trouble, intent } = record;
    if (this.wishes.has(wish) || this.isUndecided(wish)) return;
    if (trouble && !servingOf(subscriptions)) await this.fleet.note(wish, undefined);
    if (intent) await this.fleet.intend(wish, undefined);
    for (const { id, tenantId, expiresAt } of subscriptions) {
      if (!this.tenants.has(tenantId) && now - expiresAt > REMEMBER_MS) await this.fleet.forget(id);
    }
  }

  /** So many a minute as may be changed over in one, what ends next first. */
  private spread(
    records: readonly WishRecord[],
    atOnce: ReadonlySet<string>,
    now: number,
    at: Map<string, number | undefined>,
  ): void {
    const endOf = ({ subscriptions }: WishRecord) => servingOf(subscriptions)?.expiresAt ?? 0;
    const later = { rich: 0, plain: 0 };
    for (const record of records.toSorted((a, b) => endOf(a) - endOf(b))) {
      const due = this.nextOf(record, now).at ?? now;
      const isRich = this.wishes.get(record.wish)?.rich === true;
      const most = isRich ? MOST_NEW_CERTIFICATES : MOST_NEW_SECRETS;
      const turn = Math.floor(later[isRich ? 'rich' : 'plain']++ / most);
      at.set(record.wish, atOnce.has(record.wish) ? now : Math.max(due, now + turn * CHANGEOVER_EVERY_MS));
    }
  }

  /** What it is wanted for now is not what failed. */
  private isForAnother({ wish: key, trouble }: WishRecord): boolean {
    const wish = this.wishes.get(key);
    return wish !== undefined && trouble?.of !== undefined && trouble.of !== fingerprintOf(wish);
  }

  private async noteSwept(): Promise<void> {
    const { wanted, held } = this.present;
    for (const id of this.listedNow) {
      const at = this.lists.of(id)?.at;
      // What is left to a later reconciliation would be made without a look at the list.
      if (at !== undefined && !this.heldUp.has(id)) await this.lists.noteCompared(id, at);
    }
    await this.fleet.setState({ swept: { wanted, held } });
  }

  // — the work, page by page —

  private async workAllDue(): Promise<void> {
    const seenBefore = new Map<string, number>();
    for (;;) {
      const { due } = await this.fleet.look(this.deps.now(), PAGE);
      if (due.length === 0 || this.deps.stopping?.aborted) return;
      await this.workPage(due);
      this.worked += due.length;
      // A wish that is due again and again is for the next reconciliation: others may have to wait for this one's end.
      for (const key of due) seenBefore.set(key, (seenBefore.get(key) ?? 0) + 1);
      if (due.every((key) => (seenBefore.get(key) ?? 0) > 3)) return;
      await this.noteProgress();
    }
  }

  private async noteProgress(): Promise<void> {
    const now = this.deps.now();
    const left = await this.fleet.countDue(now);
    const seconds = Math.max(1, now - this.startedAt) / 1000;
    const rate = this.worked / seconds;
    const leftMs = Math.round((left / rate) * 1000);
    await this.fleet.setProgress({
      startedAt: this.startedAt,
      at: now,
      done: this.worked,
      left,
      rate,
      leftMs,
    });
    if (this.present.clockIsSure && now - (this.state.aliveAt ?? 0) > ALIVE_EVERY_MS) {
      this.state = { ...this.state, aliveAt: now };
      await this.fleet.setState({ aliveAt: now });
    }
  }

  private async workPage(keys: readonly string[]): Promise<void> {
    const records = await this.fleet.read(keys);
    const heldTenants = this.tenantsHeldUp();
    const free = records.filter((record) => !heldTenants.has(this.tenantOf(record)));
    await this.listForDoubts(free);
    const actions = (await this.plan(free)).toSorted((a, b) => urgency(a) - urgency(b));
    const byWish = new Map(records.map((record) => [record.wish, record]));
    const deletions = actions.filter((action) => action.do === 'delete');
    const forSecrets = actions.filter((action) => action.do === 'create' && action.forSecret === true);
    const apart = new Set<Action>([...deletions, ...forSecrets]);
    const others = actions.filter((action) => !apart.has(action));
    const perform = (action: Action) => this.perform(action, byWish);
    await eachOf(deletions, AT_ONCE, perform);
    await eachOf(others, AT_ONCE, perform);
    await this.changeSecrets(forSecrets, perform);
    await this.reschedule(keys);
  }

  /** But after one that was let go and could not be made anew, no other one is: it serves as it is. */
  private async changeSecrets(
    actions: readonly Action[],
    perform: (action: Action) => Promise<boolean>,
  ): Promise<void> {
    for (const action of actions) {
      if (await perform(action)) continue;
      const setback = { wish: wishOf(action), until: this.deps.now() + SETBACK_MS };
      this.state = { ...this.state, setback };
      return this.fleet.setState({ setback });
    }
  }

  private async reschedule(keys: readonly string[]): Promise<void> {
    const now = this.deps.now();
    const soonest = now + 1000;
    const heldTenants = this.tenantsHeldUp();
    const at = new Map<string, number | undefined>();
    for (const record of await this.fleet.read(keys)) {
      const next = this.nextOf(record, now).at;
      const until = heldTenants.get(this.tenantOf(record));
      at.set(record.wish, next === undefined ? undefined : Math.max(next, until ?? 0, soonest));
    }
    await this.fleet.schedule(at);
  }

  private tenantsHeldUp(): ReadonlyMap<string, number> {
    const now = this.deps.now();
    for (const [tenantId, until] of this.heldUp) if (until <= now) this.heldUp.delete(tenantId);
    return this.heldUp;
  }

  /** Wishes with an answer that was lost, and those that were expected in an older list, need one that shows them. */
  private async listForDoubts(records: readonly WishRecord[]): Promise<void> {
    const doubted = records.filter(
      ({ wish, subscriptions, intent }) =>
        intent && this.wishes.has(wish) && !servingOf(subscriptions) && intent.settlesAt <= this.deps.now(),
    );
    for (const [tenantId, all] of Map.groupBy(doubted, (record) => this.tenantOf(record))) {
      const settled = Math.max(...all.map(({ intent }) => intent?.settlesAt ?? 0));
      await this.lists.showing(tenantId, ({ at }) => at >= settled);
    }
  }

  private tenantOf({ wish, subscriptions }: WishRecord): string {
    return this.wishes.get(wish)?.tenantId ?? subscriptions[0]?.tenantId ?? '';
  }

  private async plan(records: readonly WishRecord[]): Promise<Action[]> {
    const now = this.deps.now();
    const actions: Action[] = [];
    for (const tenant of this.tenants.values()) {
      const { tenantId } = tenant;
      const known = records.flatMap(({ subscriptions, wish }) =>
        subscriptions.filter((one) => one.tenantId === tenantId && !this.isUndecided(wish)),
      );
      const wishes = records.flatMap(({ wish: key }) => {
        const wish = this.wishes.get(key);
        return wish?.tenantId === tenantId ? [wish] : [];
      });
      const listing = this.lists.of(tenantId);
      const intents = new Map(records.flatMap(({ wish, intent }) => (intent ? [[wish, intent]] : [])));
      const listed = listing && (await this.listedFor(listing, known, wishes));
      const seen = { ...this.seen(), intents, ...(listing && { listedAt: listing.at }) };
      const planned = planRenewal(wishes, known, listed, now, this.heldFor(tenant), seen);
      const isBlind = this.blind.has(tenantId);
      actions.push(...planned.filter((action) => !isBlind || action.do !== 'create'));
    }
    return actions;
  }

  /** Of the entry of such a wish it is not known yet whom it means: what exists for it stays as it is. */
  private isUndecided(wish: string): boolean {
    return !this.wishes.has(wish) && this.unread.some((name) => wish === name || wish.startsWith(`${name}/`));
  }

  /** Of the list what concerns these; what others are served by would look like nobody's. */
  private async listedFor(
    listing: Listing,
    known: readonly KnownSubscription[],
    wishes: readonly Wish[],
  ): Promise<ListedSubscription[]> {
    const { byId, byWatch } = indexed(listing);
    const own = new Map(known.flatMap(({ id }) => (byId.has(id) ? [[id, byId.get(id)]] : [])));
    const served = new Set(
      known.filter(({ replacedAt }) => replacedAt === undefined).map(({ wish }) => wish),
    );
    const unserved = wishes.filter(({ key }) => !served.has(key));
    const alike = unserved
      .flatMap((wish) => byWatch.get(watchKey(wish)) ?? [])
      .filter(({ id }) => !own.has(id));
    const claimed = new Set((await this.fleet.find(alike.map(({ id }) => id))).map(({ id }) => id));
    const others = new Map(alike.map((one) => [one.id, one]));
    return [...own.values(), ...others.values()].flatMap((one) => (one && !claimed.has(one.id) ? [one] : []));
  }

  private heldFor({ tenantId, secrets }: TenantDeps): Held {
    const known = this.held.get(tenantId);
    if (known) return known;
    const { encryption } = this.deps;
    const held = { certificate: encryption.current(), secrets: secrets.map(secretFingerprint) };
    this.held.set(tenantId, held);
    return held;
  }

  private seen(): Circumstances {
    const { catchUp, setback } = this.state;
    return {
      ...(catchUp && { catchUpAt: catchUp.at }),
      ...(setback && { setbackUntil: setback.until }),
      clockIsUnsure: !this.present.clockIsSure,
    };
  }

  private nextOf(record: WishRecord, now: number) {
    const wish = this.wishes.get(record.wish);
    const tenant = this.tenants.get(this.tenantOf(record));
    if (!tenant || this.isUndecided(record.wish)) return { at: undefined, forChangeover: false };
    return nextLook(record, wish, now, this.heldFor(tenant), this.seen());
  }

  // — one action —

  private async perform(action: Action, byWish: ReadonlyMap<string, WishRecord>): Promise<boolean> {
    const key = wishOf(action);
    const record = byWish.get(key);
    const tenantId = 'wish' in action ? action.wish.tenantId : action.subscription.tenantId;
    const heldUntil = this.tenantsHeldUp().get(tenantId);
    if (heldUntil !== undefined) return false;
    try {
      await carryOut(this.workDeps(tenantId, byWish), action);
      this.done[action.do]++;
      if (action.do === 'renew' && action.certificate) this.hasChangedCertificates = true;
      if (record?.trouble) await this.fleet.note(key, undefined);
      if (this.state.setback?.wish === key) await this.endSetback();
      return true;
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      if (error instanceof HeldUpError) this.heldUp.set(tenantId, this.deps.now() + error.ms);
      else await this.noteTrouble(action, record, error);
      return false;
    }
  }

  private async endSetback(): Promise<void> {
    this.state = { ...this.state, setback: { wish: '', until: 0 } };
    await this.fleet.setState({ setback: undefined });
  }

  private async noteTrouble(action: Action, record: WishRecord | undefined, error: unknown): Promise<void> {
    const { now, log } = this.deps;
    const key = wishOf(action);
    const explained = explainTrouble(error);
    const isInDoubt = action.do === 'create' && explained.maybeDone === true;
    const reason = isInDoubt ? 'in-doubt' : explained.reason;
    const before = record?.trouble;
    const tries = before?.reason === reason ? before.tries + 1 : 1;
    const serving = servingOf(record?.subscriptions ?? []);
    const trouble: Trouble = {
      reason,
      detail: explained.detail,
      since: before?.since ?? now(),
      tries,
      until: retryAt(now(), tries, TROUBLES[reason], key, serving?.expiresAt),
      ...('wish' in action && { of: fingerprintOf(action.wish) }),
    };
    await this.fleet.note(key, trouble);
    const said = { wish: key, action: action.do, reason };
    this.failed.push(`${action.do} ${key}: ${error instanceof Error ? error.message : 'unknown error'}`);
    if (isForPeople(reason)) log.warn({ ...said, detail: trouble.detail }, 'subscription.skipped');
    else log.error({ ...said, err: error }, 'subscription.action-failed');
  }

  private workDeps(tenantId: string, byWish: ReadonlyMap<string, WishRecord>): WorkDeps {
    const { deps, fleet, lives } = this;
    const [tenant, graph] = [this.tenants.get(tenantId), this.calls.get(tenantId)];
    if (!tenant || !graph) throw new Error(`tenant ${tenantId} is not served`);
    const { secrets, notificationUrl, lifecycleNotificationUrl } = tenant;
    const { encryption, noteHole, closeHole, log, now } = deps;
    return {
      ...{ tenantId, secrets, notificationUrl, lifecycleNotificationUrl },
      ...{ encryption, noteHole, closeHole, graph, fleet, lives, log, now },
      recordOf: (wish) => byWish.get(wish),
      servedBy: (ids) => this.servedBy(ids),
      listWith: (shows) => this.lists.showing(tenantId, shows),
      seen: this.seen(),
      catchingUp: this.state.catchUp && CATCH_UP[this.state.catchUp.why],
      lostLately: this.lostLately(),
    };
  }

  private lostLately(): string | undefined {
    const { catchUp } = this.state;
    const isLate = catchUp?.why === 'lost' && this.deps.now() - catchUp.at < LOST_FOR_MS;
    return isLate ? CATCH_UP.lost : undefined;
  }

  private async servedBy(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const known = await this.fleet.find(ids);
    return new Map(known.flatMap((one) => (one.replacedAt === undefined ? [[one.id, one.wish]] : [])));
  }

  private async sweepOrphans(): Promise<void> {
    const { sweepOrphans, log } = this.deps;
    for (const tenantId of this.listedNow) {
      const [listing, graph] = [this.lists.of(tenantId), this.calls.get(tenantId)];
      if (!listing || !graph || this.unread.length > 0) continue;
      const found = findOrphans(listing, () => false, sweepOrphans);
      const known = new Set((await this.fleet.find(found)).map(({ id }) => id));
      const orphans = found.filter((id) => !known.has(id));
      await eachOf(orphans, AT_ONCE, async (id) => {
        try {
          await graph.delete(id);
          this.swept++;
          log.info({ tenant: tenantId, id }, 'subscription.orphan-deleted');
        } catch (error) {
          if (error instanceof LeaseLostError) throw error;
          log.warn({ tenant: tenantId, id, err: error }, 'subscription.orphan-not-deleted');
        }
      });
    }
  }
}

/** A mailbox that is not there is no fault of the service, and not one that it can mend. */
function isForPeople(reason: Trouble['reason']): boolean {
  return reason === 'no-mailbox' || reason === 'not-found' || reason === 'access-policy';
}

function wishOf(action: Action): string {
  return 'wish' in action ? action.wish.key : action.subscription.wish;
}

/** What ends next comes first; what is not there at all comes after what still can be kept. */
function urgency(action: Action): number {
  return action.do === 'renew' ? action.subscription.expiresAt : Number.MAX_SAFE_INTEGER;
}
