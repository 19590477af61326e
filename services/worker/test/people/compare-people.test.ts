/** Who joined and who left, for whatever was known and whatever is listed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePeople } from '../../src/people/compare-people.ts';

const people = (most: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 300 }).map(String), { maxLength: most })
    .map((ids) => new Set(ids));
const anyPeople = people(200);

const after = (
  known: ReadonlySet<string>,
  { joined, left }: { joined: readonly string[]; left: readonly string[] },
) => known.union(new Set(joined)).difference(new Set(left));

describe('the difference to a list', () => {
  it('makes of what was known what is listed, where the list is believed', () => {
    fc.assert(
      fc.property(anyPeople, anyPeople, (known, ids) => {
        const difference = comparePeople(known, { ids, isComplete: true }, true);
        expect(after(known, difference)).toEqual(ids);
        expect(difference.doubted).toBe(0);
      }),
    );
  });

  it('names nobody who stays, and says nothing a second time', () => {
    fc.assert(
      fc.property(
        anyPeople,
        anyPeople,
        fc.boolean(),
        fc.boolean(),
        (known, ids, isComplete, isSecondLook) => {
          const difference = comparePeople(known, { ids, isComplete }, isSecondLook);
          expect(difference.joined.every((id) => ids.has(id) && !known.has(id))).toBe(true);
          expect(difference.left.every((id) => known.has(id) && !ids.has(id))).toBe(true);
          const again = comparePeople(after(known, difference), { ids, isComplete }, isSecondLook);
          expect([again.joined, again.left]).toEqual([[], []]);
        },
      ),
    );
  });

  it('removes nobody by a list that was not read to its end, and takes everybody in it', () => {
    fc.assert(
      fc.property(anyPeople, anyPeople, fc.boolean(), (known, ids, isSecondLook) => {
        const difference = comparePeople(known, { ids, isComplete: false }, isSecondLook);
        expect(after(known, difference)).toEqual(known.union(ids));
      }),
    );
  });

  it('never removes more than 20 people and more than half at the first look', () => {
    fc.assert(
      fc.property(people(300), people(40), (known, ids) => {
        const { joined, left, doubted } = comparePeople(known, { ids, isComplete: true }, false);
        const missing = known.difference(ids).size;
        expect(left.length <= 20 || left.length <= known.size / 2).toBe(true);
        expect([left.length, doubted].sort()).toEqual([0, missing].sort());
        expect(joined).toHaveLength(ids.difference(known).size);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [20, 0, 20, 0],
    [21, 0, 0, 21],
    [50, 25, 25, 0],
    [50, 24, 0, 26],
    [40, 19, 0, 21],
    [40, 20, 20, 0],
  ])('of %i people to %i has %i leave, or doubts %i', (known, listed, left, doubted) => {
    const first = (count: number) => new Set(Array.from({ length: count }, (_, i) => String(i)));
    const difference = comparePeople(first(known), { ids: first(listed), isComplete: true }, false);
    expect([difference.left.length, difference.doubted]).toEqual([left, doubted]);
  });
});
