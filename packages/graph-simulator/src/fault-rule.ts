// One rule with its counters: whether it still holds, and whether it is applied to the next thing that fits.
import { effectOf, type Fault, type FaultSpan } from './fault-rules.ts';

/** What decides on times: the simulator's clock, and the draw for `share`. */
export interface RuleContext {
  readonly nowMs: number;
  readonly draw: () => number;
}

export interface FaultView {
  readonly id: number;
  /** How often the rule has been applied. */
  readonly hits: number;
  /** "status 503", "slow-loris", "drop", "forge expired" … */
  readonly effect: string;
  /** False once it can harm nothing any more. */
  readonly isActive: boolean;
}

const spanOf = (fault: Fault): FaultSpan & { readonly eachForMs?: number } => fault;

function timesOf(fault: Fault): number {
  const { times, forMs, eachForMs, share } = spanOf(fault);
  // A state, not a number of accidents.
  if (fault.on === 'consent' || fault.on === 'clock') return Number.POSITIVE_INFINITY;
  const isOpen = forMs !== undefined || eachForMs !== undefined || share !== undefined;
  return times ?? (isOpen ? Number.POSITIVE_INFINITY : 1);
}

export class FaultRule<F extends Fault = Fault> {
  readonly id: number;
  readonly fault: F;
  readonly #addedAt: number;
  readonly #firstCalls = new Map<string, number>();
  #hits = 0;
  #spared = 0;

  constructor(id: number, fault: F, nowMs: number) {
    this.id = id;
    this.fault = fault;
    this.#addedAt = nowMs;
  }

  get hits(): number {
    return this.#hits;
  }

  view(nowMs: number): FaultView {
    const { id, hits, fault } = this;
    return { id, hits, effect: effectOf(fault), isActive: this.holds(nowMs) };
  }

  /** Neither its time nor its number is used up. */
  holds(nowMs: number): boolean {
    const endsAt = this.#addedAt + (this.fault.forMs ?? Number.POSITIVE_INFINITY);
    return nowMs < endsAt && this.#hits < timesOf(this.fault);
  }

  /** How long it still holds; Infinity where it ends by itself never. */
  leftMs(nowMs: number): number {
    return this.#addedAt + (this.fault.forMs ?? Number.POSITIVE_INFINITY) - nowMs;
  }

  count(): void {
    this.#hits += 1;
  }

  /** Counts, and is true, if the rule is to be applied to the next one that fits. `name` tells things apart. */
  take(name: string, { nowMs, draw }: RuleContext): boolean {
    const { share, after = 0 } = spanOf(this.fault);
    if (!this.holds(nowMs) || !this.#isInOwnSpan(name, nowMs)) return false;
    if (this.#spared < after) {
      this.#spared += 1;
      return false;
    }
    if (share !== undefined && draw() >= share) return false;
    this.count();
    return true;
  }

  #isInOwnSpan(name: string, nowMs: number): boolean {
    const { eachForMs } = spanOf(this.fault);
    if (eachForMs === undefined) return true;
    const firstAt = this.#firstCalls.get(name) ?? nowMs;
    this.#firstCalls.set(name, firstAt);
    return nowMs < firstAt + eachForMs;
  }
}
