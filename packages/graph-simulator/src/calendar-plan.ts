// Thinks up the changes of a few calendars, one after the other, from a seed alone: no clock, no store.
import { GIVEN_NAMES, OCCASIONS, PLACES, RITUALS, TOPICS } from './names.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

/** When an event takes place: days from the first day of the plan, minutes after midnight UTC. */
export interface PlannedTime {
  readonly day: number;
  readonly minuteOfDay: number;
  readonly durationMinutes: number;
}

interface Planned {
  /** Events are numbered from 0 in the order of their creation. */
  readonly event: number;
  /** Graph announces this change twice. */
  readonly isAnnouncedTwice: boolean;
}

export type PlannedChange =
  | (Planned & {
      readonly kind: 'create';
      /** Index of the calendar's owner. */
      readonly user: number;
      readonly subject: string;
      readonly place: string;
      readonly time: PlannedTime;
      readonly attendees: readonly number[];
    })
  | (Planned & { readonly kind: 'move'; readonly time: PlannedTime })
  | (Planned & { readonly kind: 'invite'; readonly attendee: number })
  | (Planned & { readonly kind: 'rename'; readonly subject: string })
  | (Planned & { readonly kind: 'cancel' })
  | (Planned & { readonly kind: 'delete' });

type ChangeKind = PlannedChange['kind'];

interface PlannedEvent {
  readonly number: number;
  isCancelled: boolean;
}

/** Of 100 changes in a calendar that is neither empty nor full. */
const WEIGHTS: readonly (readonly [ChangeKind, number])[] = [
  ['create', 24],
  ['move', 24],
  ['invite', 18],
  ['rename', 12],
  ['cancel', 6],
  ['delete', 16],
];
const BURST_KINDS: readonly ChangeKind[] = ['move', 'rename', 'invite', 'move'];

/** Per user: below the first, events are rather made; above the second, rather removed. */
const FEW_EVENTS = 3;
const MANY_EVENTS = 30;
const BURST_CHANCE = 0.04;
const BURST_LENGTHS = [4, 5, 6, 8];
const REPEAT_CHANCE = 0.03;
const DAYS_AHEAD = 28;
const DURATIONS = [15, 30, 30, 45, 60, 60, 90, 120];

function pickKind(random: SeededRandom, weights = WEIGHTS): ChangeKind {
  let left = random.below(weights.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [kind, weight] of weights) {
    if (left < weight) return kind;
    left -= weight;
  }
  return 'move';
}

function pickTime(random: SeededRandom): PlannedTime {
  const minuteOfDay = (7 * 60 + random.below(44) * 15) % (24 * 60);
  return { day: random.below(DAYS_AHEAD), minuteOfDay, durationMinutes: random.pick(DURATIONS) };
}

function pickSubject(random: SeededRandom): string {
  const style = random.below(10);
  if (style === 0) return random.pick(RITUALS);
  const meeting = `${random.pick(TOPICS)} ${random.pick(OCCASIONS)}`;
  if (style < 5) return `${meeting} with ${random.pick(GIVEN_NAMES)}`;
  if (style < 7) return `${meeting}, part ${random.below(4) + 1}`;
  return meeting;
}

export class CalendarPlan {
  readonly #random: SeededRandom;
  readonly #users: number;
  readonly #events: PlannedEvent[] = [];
  #burst: { event: PlannedEvent; left: number } | undefined;
  #made = 0;

  /** @param users how many calendars there are, at least 1 */
  constructor(seed: number, users: number) {
    if (!(users >= 1)) throw new RangeError('A calendar plan needs at least one user.');
    this.#random = seededRandom(seed);
    this.#users = users;
  }

  next(): PlannedChange {
    return this.#burst === undefined ? this.#nextAlone() : this.#nextOfBurst(this.#burst);
  }

  #nextAlone(): PlannedChange {
    const kind = this.#nextKind();
    if (kind === 'create') return this.#create();
    const event = this.#random.pick(this.#events);
    if (event.isCancelled) return this.#change(event, 'delete');
    const change = this.#change(event, kind);
    const isUpdate = kind === 'move' || kind === 'rename' || kind === 'invite';
    if (isUpdate && this.#random.chance(BURST_CHANCE)) {
      this.#burst = { event, left: this.#random.pick(BURST_LENGTHS) };
    }
    return change;
  }

  #nextKind(): ChangeKind {
    const count = this.#events.length;
    if (count === 0) return 'create';
    if (count < FEW_EVENTS * this.#users && this.#random.chance(0.6)) return 'create';
    if (count > MANY_EVENTS * this.#users && this.#random.chance(0.3)) return 'delete';
    return pickKind(this.#random);
  }

  #nextOfBurst(burst: { event: PlannedEvent; left: number }): PlannedChange {
    burst.left -= 1;
    if (burst.left === 0) this.#burst = undefined;
    return this.#change(burst.event, this.#random.pick(BURST_KINDS));
  }

  #create(): PlannedChange {
    const event: PlannedEvent = { number: this.#made, isCancelled: false };
    this.#made += 1;
    this.#events.push(event);
    const user = this.#random.below(this.#users);
    const attendees = Array.from({ length: this.#random.below(4) }, () => this.#random.below(this.#users));
    return {
      kind: 'create',
      ...this.#planned(event),
      user,
      subject: pickSubject(this.#random),
      place: this.#random.pick(PLACES),
      time: pickTime(this.#random),
      attendees: [...new Set(attendees)].filter((attendee) => attendee !== user),
    };
  }

  #change(event: PlannedEvent, kind: ChangeKind): PlannedChange {
    const planned = this.#planned(event);
    switch (kind) {
      case 'move':
        return { kind, ...planned, time: pickTime(this.#random) };
      case 'invite':
        return { kind, ...planned, attendee: this.#random.below(this.#users) };
      case 'rename':
        return { kind, ...planned, subject: pickSubject(this.#random) };
      case 'cancel':
        event.isCancelled = true;
        return { kind, ...planned };
      default:
        this.#forget(event);
        return { kind: 'delete', ...planned };
    }
  }

  #planned(event: PlannedEvent): Planned {
    return { event: event.number, isAnnouncedTwice: this.#random.chance(REPEAT_CHANCE) };
  }

  #forget(event: PlannedEvent): void {
    const last = this.#events.pop();
    if (last === undefined || last === event) return;
    this.#events[this.#events.indexOf(event)] = last;
  }
}
