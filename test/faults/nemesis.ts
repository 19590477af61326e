/** When which fault strikes and for how long: it follows from the seed alone, so that a bad run can be made again. Pure. */
import type { Fault } from './fault.ts';
import { shuffled } from './seeded-random.ts';

export type NamedFault<Kind extends string> = Pick<Fault, 'peer' | 'lastsMs'> & { readonly kind: Kind };

export type PlannedFault<Kind extends string> = {
  readonly kind: Kind;
  /** From the start of the run. */
  readonly atMs: number;
  readonly lastsMs: number;
};

export type NemesisOptions<Kind extends string> = {
  readonly faults: readonly NamedFault<Kind>[];
  /** All faults end within this. */
  readonly spanMs: number;
  readonly random: () => number;
};

/** The first changes are on their way by then. */
const FIRST_AT_MS = 1000;
/** Between the beginnings of two faults: some overlap, some strike in the recovery from another, some alone. */
const GAP_MS = [500, 4000] as const;
/** More would leave no work between the faults that could go wrong. */
const MOST_AT_ONCE = 2;
/** Of a peer, from the planned end of one fault to the next: it has to be well again, or the next is not felt. */
const REST_MS = 3000;

/**
 * Every fault comes once before any comes again. A peer suffers one at a time; two peers may suffer at once. Long
 * durations are rarer than short ones.
 */
export function planFaults<Kind extends string>(options: NemesisOptions<Kind>): PlannedFault<Kind>[] {
  const { faults, spanMs, random } = options;
  const planned: (PlannedFault<Kind> & { readonly peer: string })[] = [];
  const endOf = ({ atMs, lastsMs }: PlannedFault<Kind>) => atMs + lastsMs;
  let deck: NamedFault<Kind>[] = [];
  let atMs = FIRST_AT_MS;
  while (atMs < spanMs) {
    if (deck.length === 0) deck = shuffled(faults, random);
    const under = planned.filter((fault) => endOf(fault) > atMs);
    const resting = planned.filter((fault) => endOf(fault) + REST_MS > atMs).map(({ peer }) => peer);
    const next = under.length < MOST_AT_ONCE ? deck.find(({ peer }) => !resting.includes(peer)) : undefined;
    if (next) {
      deck = deck.filter((fault) => fault !== next);
      const lastsMs = durationOf(next, random);
      if (atMs + lastsMs <= spanMs) planned.push({ kind: next.kind, atMs, lastsMs, peer: next.peer });
    }
    atMs += Math.round(between(GAP_MS, random()));
  }
  return planned.map(({ kind, atMs, lastsMs }) => ({ kind, atMs, lastsMs }));
}

function durationOf({ lastsMs }: Pick<Fault, 'lastsMs'>, random: () => number): number {
  return Math.round(between(lastsMs, random() ** 3));
}

function between([least, most]: readonly [number, number], share: number): number {
  return least + (most - least) * share;
}
