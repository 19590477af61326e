/** What happens by itself in a simulated month: time goes on, Graph is away for a while, lets some go, and does late what was given up. */
import { DAY_MS, HOUR_MS, LONG_OUTAGE_MS, type Outage, planOutages } from '../outages.ts';
import type { Randomness } from '../randomness.ts';

export type Recovery = { readonly isLong: boolean; readonly ms: number };

export type WorldOptions = {
  readonly startsAt: number;
  readonly days: number;
  readonly subscriptions: number;
  readonly chance: Randomness;
};

/** Called when their time has come. */
export type Happenings = {
  /** Graph lets a subscription of this wish go. */
  remove(wish: number): void;
  outageEnded(outage: Outage): void;
};

/** Of each subscription and day, by Graph itself. */
const REMOVED_A_DAY = 0.0005;
/** In every fourth month nobody works for hours. */
const LONGEST_DOWN_MS = 6 * HOUR_MS;

export class World {
  readonly chance: Randomness;
  readonly endsAt: number;
  readonly outages: readonly Outage[];
  /** When no process runs. */
  readonly down: Outage | undefined;
  /** When the newest clientState secret is another one; infinite: never. */
  readonly rotatedAt: number;
  happenings: Happenings | undefined;
  private ms: number;
  private nextOutage = 0;
  private nextRemoval: number;
  private readonly removalEveryMs: number;
  private readonly subscriptions: number;
  private readonly late: { readonly at: number; readonly act: () => void }[] = [];

  constructor({ startsAt, days, subscriptions, chance }: WorldOptions) {
    this.chance = chance;
    this.subscriptions = subscriptions;
    this.ms = startsAt;
    this.endsAt = startsAt + days * DAY_MS;
    this.outages = planOutages(startsAt, days, chance.isHit(1 / 3), chance);
    this.rotatedAt =
      days >= 10 && chance.isHit(1 / 4)
        ? startsAt + chance.between(2 * DAY_MS, (days - 4) * DAY_MS)
        : Number.POSITIVE_INFINITY;
    this.down = chance.isHit(1 / 4) ? this.planDown(startsAt) : undefined;
    this.removalEveryMs = DAY_MS / (REMOVED_A_DAY * subscriptions);
    this.nextRemoval = startsAt + chance.between(0, 2 * this.removalEveryMs);
  }

  get now(): number {
    return this.ms;
  }

  /** Does nothing where it is later already. */
  goTo(ms: number): void {
    while (this.nextRemoval <= ms) this.removeOne();
    for (let one = this.late[0]; one && one.at <= ms; one = this.late[0]) {
      this.late.shift();
      this.ms = Math.max(this.ms, one.at);
      one.act();
    }
    this.ms = Math.max(this.ms, ms);
    for (let one = this.outages[this.nextOutage]; one && one.to <= ms; one = this.outages[this.nextOutage]) {
      this.nextOutage++;
      this.happenings?.outageEnded(one);
    }
  }

  pass(ms: number): void {
    this.goTo(this.ms + ms);
  }

  isAway(): boolean {
    return (this.outages[this.nextOutage]?.from ?? Number.POSITIVE_INFINITY) <= this.ms;
  }

  /** Later than it was given up. */
  doLate(afterMs: number, act: () => void): void {
    this.late.push({ at: this.ms + afterMs, act });
    this.late.sort((a, b) => a.at - b.at);
  }

  private removeOne(): void {
    this.ms = Math.max(this.ms, this.nextRemoval);
    // What is found by the hourly list alone is to be found before the end.
    const isLast = this.nextRemoval > this.endsAt - DAY_MS / 4;
    this.nextRemoval += isLast ? Number.POSITIVE_INFINITY : this.chance.between(0, 2 * this.removalEveryMs);
    if (isLast || this.isAway()) return;
    this.happenings?.remove(Math.floor(this.chance.next() * this.subscriptions));
  }

  /** Not within an outage, of which each one's aftermath is seen alone. */
  private planDown(startsAt: number): Outage | undefined {
    const from = this.chance.between(startsAt + DAY_MS, this.endsAt - 2 * DAY_MS);
    const to = from + this.chance.between(0, LONGEST_DOWN_MS);
    const isApart = this.outages.every((one) => to + 12 * HOUR_MS < one.from || one.to + 12 * HOUR_MS < from);
    return isApart ? { from, to } : undefined;
  }
}

export function isLong({ from, to }: Outage): boolean {
  return to - from >= LONG_OUTAGE_MS;
}
