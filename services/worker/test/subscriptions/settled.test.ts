/** What a sweep passes over: held against the plan and the next look, which say of it that there is nothing to do. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Held } from '../../src/subscriptions/changeover.ts';
import type { WishRecord } from '../../src/subscriptions/fleet.ts';
import { nextLook } from '../../src/subscriptions/next-look.ts';
import { type ListedSubscription, planRenewal } from '../../src/subscriptions/renewal-plan.ts';
import { renewAt } from '../../src/subscriptions/renewal-time.ts';
import { isSettled } from '../../src/subscriptions/settled.ts';
import type { KnownSubscription } from '../../src/subscriptions/subscription-store.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';
import { signedWishes } from '../support/fleet-wishes.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const [wish] = signedWishes(10_060).wishesFor(1) as [Wish];

const served: KnownSubscription = {
  ...{ id: 'a', wish: wish.key, tenantId: wish.tenantId, resource: wish.resource, topic: wish.topic },
  ...{ changeType: wish.changeType, whole: true, nonce: 'nonce', secret: 'new', lifecycle: 'here' },
  ...{ expiresAt: NOW + 160 * HOUR, grantedAt: NOW - 7 * HOUR },
};
const held: Held = { secrets: ['new', 'old'], lifecycle: 'here' };

function judge(
  more: Partial<KnownSubscription> = {},
  listed: Partial<ListedSubscription> | null = {},
  record: Partial<WishRecord> = {},
  wanted: Partial<Wish> = {},
  catchUpAt?: number,
) {
  const one = { ...served, ...more };
  const shown: ListedSubscription[] = listed
    ? [{ ...one, nonce: 'nonce', lifecycle: 'here', ...listed }]
    : [];
  const now: Wish = { ...wish, ...wanted };
  const all: WishRecord = {
    ...{ wish: wish.key, subscriptions: [one], dueAt: renewAt(one, now) },
    ...record,
  };
  const seen = { listedAt: NOW, ...(catchUpAt !== undefined && { catchUpAt }) };
  const byId = new Map(shown.map((item) => [item.id, item]));
  return {
    isSettled: isSettled(all, now, NOW, { held, listed: byId, seen }),
    plan: planRenewal([now], all.subscriptions, shown, NOW, held, seen),
    next: nextLook(all, now, NOW, held, seen),
    dueAt: all.dueAt,
  };
}

describe('a wish that is served as it should be', () => {
  it('is passed over, and the plan has nothing to do for it', () => {
    const { dueAt, ...judged } = judge();
    expect(judged).toEqual({ isSettled: true, plan: [], next: { at: dueAt, forChangeover: false } });
  });

  it.each([
    ['is listed with another end', [{}, { expiresAt: NOW + HOUR }]],
    ['is not listed', [{}, null]],
    ['notifies another address', [{}, { elsewhere: 'old.example' }]],
    ['carries an old secret', [{ secret: 'old' }]],
    ['sends lifecycle notifications elsewhere', [{ lifecycle: 'there' }]],
    ['is demanded', [{ demand: 'renew' }]],
    ['has a hole', [{ hole: 'missed' }]],
    ['is due', [{ expiresAt: NOW + HOUR }]],
    ['is to be looked at at another time', [{}, {}, { dueAt: NOW + 99 * HOUR }]],
    ['is wanted otherwise', [{}, {}, {}, { topic: 'another' }]],
    ['was granted before what is caught up with', [{}, {}, {}, {}, NOW]],
  ] as [string, Parameters<typeof judge>][])('is looked at where it %s', (_what, given) => {
    expect(judge(...given).isSettled).toBe(false);
  });

  it('whatever else holds: what is passed over is nothing to the plan, and due when it was noted', () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const instants = fc.integer({ min: NOW - 300 * HOUR, max: NOW + 300 * HOUR });
    const known = fc.record({
      secret: fc.constantFrom('new', 'old'),
      lifecycle: fc.constantFrom('here', 'there'),
      expiresAt: instants,
      grantedAt: instants,
      topic: fc.constantFrom(wish.topic, 'another'),
      servingSince: instants,
    });
    const listed = optional(fc.record({ elsewhere: optional(fc.constant('old.example')) }));
    const settled: boolean[] = [];
    fc.assert(
      fc.property(known, listed, optional(instants), (more, shown, catchUpAt) => {
        const { elsewhere } = shown ?? {};
        const list = shown ? (elsewhere === undefined ? {} : { elsewhere }) : null;
        const judged = judge(more, list, {}, {}, catchUpAt);
        settled.push(judged.isSettled);
        if (!judged.isSettled) return;
        expect(judged.plan).toEqual([]);
        expect(judged.next).toEqual({ at: judged.dueAt, forChangeover: false });
      }),
      { numRuns: 2000 },
    );
    expect(settled).toContain(true);
  });
});
