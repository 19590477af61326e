import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLoadBounds, type Visit } from '../src/load-bounds.ts';

const nobody = () => undefined;

describe('createLoadBounds', () => {
  it('lets no request in while as many as may be are read and not answered', () => {
    const bounds = createLoadBounds({ maxRequests: 2, maxBytes: 100 });
    const [one, two] = [bounds.enter(nobody), bounds.enter(nobody)];
    expect([one?.received(), two?.received()]).toEqual([true, true]);
    expect(bounds.enter(nobody)).toBeUndefined();
    one?.leave();
    expect(bounds.enter(nobody)).toBeDefined();
  });

  it('counts no request that is still being received', () => {
    const bounds = createLoadBounds({ maxRequests: 1, maxBytes: 100 });
    const slow = Array.from({ length: 50 }, () => bounds.enter(nobody));
    expect(slow.every((visit) => visit !== undefined)).toBe(true);
    expect(bounds.requests()).toBe(0);
    expect(slow.map((visit) => visit?.received())).toEqual([true, ...Array(49).fill(false)]);
  });

  it('cuts off who has been sending longest, until the bytes fit', () => {
    const cut: string[] = [];
    const bounds = createLoadBounds({ maxRequests: 100, maxBytes: 100 });
    const enter = (name: string) => bounds.enter(() => cut.push(name)) as Visit;
    const [first, second, third] = [enter('first'), enter('second'), enter('third')];
    expect([first.add(40), second.add(30), third.add(30)]).toEqual([true, true, true]);
    expect([third.add(60), cut, bounds.bytes()]).toEqual([true, ['first', 'second'], 90]);
    expect([first.add(1), first.received()]).toEqual([false, false]);
  });

  it('cuts off nobody whose body is complete: then it is the sender who has to go', () => {
    const cut: string[] = [];
    const bounds = createLoadBounds({ maxRequests: 100, maxBytes: 100 });
    const complete = bounds.enter(() => cut.push('complete')) as Visit;
    expect([complete.add(90), complete.received()]).toEqual([true, true]);
    const sender = bounds.enter(() => cut.push('sender')) as Visit;
    expect([sender.add(20), cut, bounds.bytes()]).toEqual([false, [], 90]);
  });

  it('keeps both bounds whatever happens, and is empty when all have left', () => {
    const step = fc.record({
      what: fc.constantFrom('enter', 'add', 'received', 'leave'),
      who: fc.nat(20),
      bytes: fc.nat(60),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const bounds = createLoadBounds({ maxRequests: 3, maxBytes: 100 });
        const visits: Visit[] = [];
        for (const { what, who, bytes } of steps) {
          const visit = visits[who];
          if (what === 'enter') visits.push(...([bounds.enter(nobody)].filter(Boolean) as Visit[]));
          else if (what === 'add') visit?.add(bytes);
          else visit?.[what as 'received' | 'leave']();
          expect(bounds.bytes()).toBeLessThanOrEqual(100);
          expect(bounds.requests()).toBeLessThanOrEqual(3);
        }
        for (const visit of visits) {
          visit.leave();
          visit.leave();
        }
        expect([bounds.bytes(), bounds.requests()]).toEqual([0, 0]);
      }),
    );
  });
});
