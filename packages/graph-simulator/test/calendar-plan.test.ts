import { describe, expect, it } from 'vitest';
import { CalendarPlan, type PlannedChange } from '../src/calendar-plan.ts';

function changes(seed: number, count: number, users = 4): PlannedChange[] {
  const plan = new CalendarPlan(seed, users);
  return Array.from({ length: count }, () => plan.next());
}

describe('a calendar plan', () => {
  it('is a function of its seed', () => {
    expect(changes(7, 2_000)).toEqual(changes(7, 2_000));
    expect(changes(7, 50)).not.toEqual(changes(8, 50));
  });

  it('holds every kind of change, repeated announcements and bursts on one event', () => {
    const made = changes(1, 2_000);
    const kinds = new Set(made.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['cancel', 'create', 'delete', 'invite', 'move', 'rename']);
    const repeated = made.filter(({ isAnnouncedTwice }) => isAnnouncedTwice).length;
    expect(repeated).toBeGreaterThan(20);
    expect(repeated).toBeLessThan(200);
    const isBurst = (_: unknown, i: number) =>
      made.slice(i, i + 5).every(({ event }) => event === made[i]?.event);
    expect(made.slice(0, -5).filter(isBurst).length).toBeGreaterThan(10);
  });

  it('changes only events that live', () => {
    const live = new Set<number>();
    for (const { kind, event } of changes(3, 5_000)) {
      expect(live.has(event)).toBe(kind !== 'create');
      if (kind === 'create') live.add(event);
      if (kind === 'delete') live.delete(event);
    }
    expect(live.size).toBeGreaterThan(0);
    expect(live.size).toBeLessThan(4 * 40);
  });

  it('gives varied subjects and plausible times', () => {
    const made = changes(5, 2_000).filter((change) => change.kind === 'create');
    expect(new Set(made.map(({ subject }) => subject)).size).toBeGreaterThan(made.length / 3);
    for (const { time, user, attendees } of made) {
      expect(time.minuteOfDay % 15).toBe(0);
      expect(time.minuteOfDay).toBeLessThan(24 * 60);
      expect(attendees).not.toContain(user);
    }
  });

  it('needs a user', () => {
    expect(() => new CalendarPlan(1, 0)).toThrow(RangeError);
  });
});
