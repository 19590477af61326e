/**
 * Changes in the simulated calendars, made so that a fault is seen. A few events change all the time: a run that
 * publishes an old state meets a newer one. The others live for some seconds and then rest for ever: whatever is
 * dropped of them stays missing, since nothing comes later that would cover it.
 */
import type { GraphSimulator } from '@graph2kafka/graph-simulator';

export type TrafficOptions = {
  readonly changesPerSecond: number;
  readonly random: () => number;
  /**
   * Whether events are deleted at their end. A deletion that overtakes an update on the way (its POST was refused
   * and came again) makes the product wait 40 s for an early 404 to pass, so short scenarios do without.
   */
  readonly deletions: boolean;
};

export type Traffic = {
  readonly changes: number;
  stop(): void;
};

/** Of each user; about two changes a second each, so that a few seconds of standing still mean several versions. */
const HOT_EVENTS = 1;
const HOT_SHARE = 0.3;
/** Events that live at once, of all users, and how often each changes. */
const LIVELY_EVENTS = 12;
const LEAST_CHANGES = 1;
const MOST_CHANGES = 5;
const DELETED_SHARE = 0.2;
const TICK_MS = 10;

type LivelyEvent = { readonly path: string; changesLeft: number; readonly endsDeleted: boolean };

export function startTraffic(simulator: GraphSimulator, options: TrafficOptions): Traffic {
  const { changesPerSecond, random, deletions } = options;
  const users = simulator.users().map(({ id }) => id);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const create = (user: string) => simulator.calendar.create(user, { subject: 'Version 1' }).path.key;
  const hot = users.flatMap((user) => Array.from({ length: HOT_EVENTS }, () => create(user)));
  const lively: LivelyEvent[] = [];
  let changes = hot.length;

  const update = (path: string) => simulator.calendar.update(path, { subject: `Change ${changes}` });

  function begin(): void {
    lively.push({
      path: create(pick(users)),
      changesLeft: LEAST_CHANGES + Math.floor(random() * (MOST_CHANGES - LEAST_CHANGES + 1)),
      endsDeleted: deletions && random() < DELETED_SHARE,
    });
  }

  function goOn(event: LivelyEvent): void {
    if (--event.changesLeft > 0 || !event.endsDeleted) update(event.path);
    else simulator.calendar.remove(event.path);
    if (event.changesLeft <= 0) lively.splice(lively.indexOf(event), 1);
  }

  function change(): void {
    changes++;
    if (random() < HOT_SHARE) update(pick(hot));
    else if (lively.length < LIVELY_EVENTS) begin();
    else goOn(pick(lively));
  }

  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = hot.length + ((performance.now() - startedAt) / 1000) * changesPerSecond;
    while (changes < due) change();
  }, TICK_MS);
  return {
    get changes() {
      return changes;
    },
    stop: () => clearInterval(timer),
  };
}
