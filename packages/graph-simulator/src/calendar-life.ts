// Lets the calendars live: carries out a plan against the store, change by change or at an average rate.
import type { Calendar } from './calendar.ts';
import { CalendarPlan, type PlannedChange, type PlannedTime } from './calendar-plan.ts';
import type { JsonObject } from './graph-exchange.ts';
import { NoSuchResourceError, type ResourceStore } from './resource-store.ts';
import type { DirectoryUser } from './user-directory.ts';

export interface LifeOptions {
  /** Average number of changes per second, fractions allowed. */
  readonly changesPerSecond: number;
  /** How many users take part; all that exist unless said, and missing ones are made. */
  readonly users?: number;
  readonly seed?: number;
}

export interface CalendarLifeDeps {
  readonly calendar: Calendar;
  readonly resources: ResourceStore;
  /** The first so many users of the directory (all without a number), made if there are too few. */
  readonly usersFor: (count: number | undefined) => readonly DirectoryUser[];
  readonly now: () => number;
  /** Measures the rate; a clock that is moved must not bring a flood. */
  readonly monotonicMs: () => number;
  readonly seed: number;
}

/** Short enough to look steady at some hundred changes per second, long enough to cost nothing. */
const TICK_MS = 10;
/** A tick that comes late catches up in slices, so that the rest of the process gets its turn. */
const MOST_STEPS_PER_TICK = 200;
const DAY_MS = 24 * 60 * 60 * 1000;

const graphLocal = (epochMs: number) => ({
  dateTime: `${new Date(epochMs).toISOString().slice(0, 23)}0000`,
  timeZone: 'UTC',
});

const attendeeOf = ({ displayName, mail }: DirectoryUser): JsonObject => ({
  type: 'required',
  emailAddress: { name: displayName, address: mail },
});

const addressOf = (attendee: JsonObject) => (attendee.emailAddress as JsonObject | undefined)?.address;

export class CalendarLife {
  readonly #deps: CalendarLifeDeps;
  /** Paths of the events that live, by their number in the plan. */
  readonly #paths = new Map<number, string>();
  #plan: CalendarPlan | undefined;
  #users: readonly DirectoryUser[] = [];
  #firstDayMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: CalendarLifeDeps) {
    this.#deps = deps;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts, or goes on at another rate. A named seed or number of users begins a new plan beside the old events. */
  start({ changesPerSecond, users, seed }: LifeOptions): void {
    this.stop();
    if (!(changesPerSecond > 0)) throw new RangeError('changesPerSecond must be more than 0.');
    if (this.#plan === undefined || users !== undefined || seed !== undefined) this.#begin(users, seed);
    const startedMs = this.#deps.monotonicMs();
    let done = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor(((this.#deps.monotonicMs() - startedMs) / 1000) * changesPerSecond);
      const steps = Math.min(due - done, MOST_STEPS_PER_TICK);
      for (let i = 0; i < steps; i += 1) this.step();
      done += Math.max(steps, 0);
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Makes one change and says which. An event that somebody else has removed meanwhile is left alone. */
  step(): PlannedChange {
    const plan = this.#plan ?? this.#begin(undefined, undefined);
    const change = plan.next();
    try {
      this.#carryOut(change);
    } catch (cause) {
      if (!(cause instanceof NoSuchResourceError)) throw cause;
    }
    return change;
  }

  #begin(users: number | undefined, seed: number | undefined): CalendarPlan {
    this.#users = this.#deps.usersFor(users);
    this.#firstDayMs = Math.floor(this.#deps.now() / DAY_MS) * DAY_MS;
    this.#paths.clear();
    this.#plan = new CalendarPlan(seed ?? this.#deps.seed, this.#users.length);
    return this.#plan;
  }

  #carryOut(change: PlannedChange): void {
    const options = { notifyTimes: change.isAnnouncedTwice ? 2 : 1 } as const;
    if (change.kind === 'create') {
      const owner = this.#users[change.user] as DirectoryUser;
      const { path } = this.#deps.calendar.create(owner.id, this.#draft(change), options);
      this.#paths.set(change.event, path.key);
      return;
    }
    const path = this.#paths.get(change.event);
    if (path === undefined) return;
    if (change.kind === 'delete') {
      this.#paths.delete(change.event);
      this.#deps.calendar.remove(path, options);
    } else {
      this.#deps.calendar.update(path, this.#patch(change, path), options);
    }
  }

  #draft(change: PlannedChange & { kind: 'create' }): JsonObject {
    const attendees = change.attendees.map((index) => attendeeOf(this.#users[index] as DirectoryUser));
    return {
      subject: change.subject,
      body: {
        contentType: 'html',
        content: `<html><body><p>${change.subject}. See you there.</p></body></html>`,
      },
      location: {
        displayName: change.place,
        locationType: 'default',
        uniqueIdType: 'private',
        uniqueId: change.place,
      },
      attendees,
      ...this.#times(change.time),
    };
  }

  #patch(change: Exclude<PlannedChange, { kind: 'create' | 'delete' }>, path: string): JsonObject {
    switch (change.kind) {
      case 'move':
        return this.#times(change.time);
      case 'rename':
        return { subject: change.subject };
      case 'invite':
        return { attendees: this.#invited(path, this.#users[change.attendee] as DirectoryUser) };
      case 'cancel':
        return { isCancelled: true, showAs: 'free' };
    }
  }

  /** Whoever is invited already is invited anew, at the end of the list. */
  #invited(path: string, user: DirectoryUser): readonly unknown[] {
    const attendees = this.#deps.resources.get(path)?.body.attendees;
    const others = Array.isArray(attendees) ? attendees.filter((one) => addressOf(one) !== user.mail) : [];
    return [...others, attendeeOf(user)];
  }

  #times({ day, minuteOfDay, durationMinutes }: PlannedTime): JsonObject {
    const startMs = this.#firstDayMs + day * DAY_MS + minuteOfDay * 60_000;
    return { start: graphLocal(startMs), end: graphLocal(startMs + durationMinutes * 60_000) };
  }
}
