/** One process's calls to the modelled Graph: paced, failing by the seed's dice, and cut off where the process is. */
import { GraphError } from '../../../services/worker/src/graph/graph-error.ts';
import {
  holdTurns,
  PACES,
  type PacedCall,
  takeTurn,
} from '../../../services/worker/src/subscriptions/call-pace.ts';
import type { GraphClock } from '../../../services/worker/src/subscriptions/graph-clock.ts';
import { FAULTS } from '../faulty-graph.ts';
import type { GraphModel } from './graph-model.ts';
import type { World } from './world.ts';

/** Its process was killed, or stood still until another one held the lease: nothing more of it is noted. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
}

/** Not asked: Graph takes no more for a while. */
export class HeldUpError extends Error {
  override readonly name = 'HeldUpError';
  readonly ms: number;

  constructor(ms: number) {
    super(`held up for ${ms} ms`);
    this.ms = ms;
  }
}

/** So many calls are under way at once, and each one takes as much less of the time that goes on. */
export const AT_ONCE = 10;
const LONGEST_WAIT_MS = 25_000;
const LONGEST_LIST_WAIT_MS = 60_000;
const TRIES = 3;
const PAGE = 100;
const LATENCY_MS = 80;
const AWAY_AFTER_MS = 3000;
const GIVEN_UP_AFTER_MS = 10_000;
/** What was given up may be done later: 60 s after it was asked for it is settled. */
const LATEST_MS = 40_000;

// Made once: what they tell does not change, and each one would keep a stack.
export const AWAY = new GraphError({ kind: 'transient', detail: 'no answer' });
export const NOT_FOUND = new GraphError({ kind: 'notFound' });
export const CONFLICT = conflict();
const CUT_OFF = new CutOffError('cut off');

function conflict(): GraphError {
  const said = { code: 'ExtensionError', message: 'Operation: Create; [Status Code: Conflict]' };
  const { code, message: detail } = said;
  return new GraphError({ kind: 'rejected', status: 409, code, detail }, { said });
}

/** What a call does at Graph; undefined where there is nothing to do it to. */
type Work<T> = () => T | undefined;

/** Turns of all processes, by kind and tenant. */
export type Turns = Map<string, number>;

export type CallsDeps = {
  readonly world: World;
  readonly graph: GraphModel;
  readonly clock: GraphClock;
  readonly turns: Turns;
};

export class Calls {
  /** After so many calls the process learns no answer any more. */
  callsUntilCut = Number.POSITIVE_INFINITY;
  private readonly deps: CallsDeps;

  constructor(deps: CallsDeps) {
    this.deps = deps;
  }

  /**
   * `refusal`: Graph's, where there is nothing to do it to. `orphaned`: told what was done where nobody learns of it.
   * Throws a `GraphError`, `HeldUpError` or `CutOffError`.
   */
  write<T>(
    name: 'create' | 'renew' | 'delete',
    tenantId: string,
    work: Work<T>,
    refusal: GraphError,
    orphaned: (done: T) => void,
    prepare?: () => void,
  ): T {
    const { graph, world } = this.deps;
    for (let nth = 1; ; nth++) {
      this.takeTurn('write', tenantId, LONGEST_WAIT_MS);
      prepare?.();
      graph.calls[name]++;
      graph.writes.note(tenantId, world.now);
      const throttledMs = this.fault();
      if (throttledMs === undefined) return this.done(name, work, refusal, orphaned);
      this.hold('write', tenantId, throttledMs);
      if (nth === TRIES || throttledMs > LONGEST_WAIT_MS) throw new HeldUpError(throttledMs);
    }
  }

  /** Asks for the pages of a list of so many; what it shows the model tells. Throws a `GraphError` or `HeldUpError`. */
  list(tenantId: string, count: number): void {
    const pages = Math.floor(count / PAGE) + 1;
    for (let page = 0; page < pages; page++) this.page(tenantId);
  }

  private page(tenantId: string): void {
    const { graph, world } = this.deps;
    for (let nth = 1; ; nth++) {
      this.takeTurn('list', tenantId, LONGEST_LIST_WAIT_MS);
      graph.calls.list++;
      try {
        const throttledMs = this.fault();
        if (throttledMs !== undefined) {
          this.hold('list', tenantId, throttledMs);
          throw new GraphError({ kind: 'throttled', retryAfterMs: throttledMs, scope: 'app' });
        }
        if (world.chance.isHit(FAULTS.lost)) throw AWAY;
        this.learnTime();
        return;
      } catch (error) {
        if (error !== AWAY || nth === TRIES) throw error;
      }
    }
  }

  /** Returns for how long it is throttled. */
  private fault(): number | undefined {
    const { world } = this.deps;
    const { chance } = world;
    world.pass((world.isAway() ? AWAY_AFTER_MS : LATENCY_MS * chance.between(0.3, 1)) / AT_ONCE);
    if (world.isAway()) throw AWAY;
    const dice = chance.next();
    if (dice < FAULTS.serverError) throw AWAY;
    return dice < FAULTS.serverError + FAULTS.throttled ? chance.between(1000, 60_000) : undefined;
  }

  private done<T>(
    name: 'create' | 'renew' | 'delete',
    work: Work<T>,
    refusal: GraphError,
    orphaned: (done: T) => void,
  ): T {
    const { world } = this.deps;
    const isLost = world.chance.isHit(FAULTS.lost);
    const act = () => {
      const done = work();
      if (done !== undefined && (isLost || this.callsUntilCut <= 1)) orphaned(done);
      return done;
    };
    if (isLost && name === 'create' && world.chance.isHit(0.5)) {
      world.doLate(GIVEN_UP_AFTER_MS + world.chance.between(0, LATEST_MS), act);
      return this.givenUp();
    }
    const done = act();
    if (isLost) return this.givenUp();
    world.pass((LATENCY_MS * world.chance.between(0.3, 1)) / AT_ONCE);
    if (--this.callsUntilCut <= 0) throw CUT_OFF;
    this.learnTime();
    if (done === undefined) throw refusal;
    return done;
  }

  private givenUp(): never {
    this.deps.world.pass(GIVEN_UP_AFTER_MS / AT_ONCE);
    if (--this.callsUntilCut <= 0) throw CUT_OFF;
    throw AWAY;
  }

  private learnTime(): void {
    const { clock, world } = this.deps;
    clock.note(dateHeader(world.now), world.now, world.now);
  }

  private takeTurn(call: PacedCall, tenantId: string, mostMs: number): void {
    const { turns, world } = this.deps;
    const key = call === 'list' ? `list ${tenantId}` : tenantId;
    const { free, waitMs } = takeTurn(turns.get(key) ?? 0, world.now, PACES[call]);
    if (waitMs > mostMs) throw new HeldUpError(waitMs);
    turns.set(key, free);
    if (waitMs > 0) world.pass(waitMs);
  }

  private hold(call: PacedCall, tenantId: string, ms: number): void {
    const { turns, world } = this.deps;
    const key = call === 'list' ? `list ${tenantId}` : tenantId;
    turns.set(key, holdTurns(turns.get(key) ?? 0, world.now, ms, PACES[call]));
  }
}

let lastHeader = { second: 0, text: '' };

function dateHeader(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastHeader.second) lastHeader = { second, text: new Date(ms).toUTCString() };
  return lastHeader.text;
}
