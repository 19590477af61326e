/** The plan that keeps one living subscription per wish: its rules one by one, then over everything that can be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, type ListedSubscription, planRenewal } from '../../src/subscriptions/renewal-plan.ts';
import type { KnownSubscription } from '../../src/subscriptions/subscription-store.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIFE_MINUTES = 90;
const USERS = ['0a', '0b', '0c', '0d'].map((start) => `${start}000000-1111-4222-8333-444444444444`);

const wishOf = (user: string, more: Partial<Wish> = {}): Wish => ({
  key: `calendars/${user}`,
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource: `users/${user}/events`,
  changeType: 'created,updated,deleted',
  topic: 'graph.events',
  lifeMinutes: LIFE_MINUTES,
  whole: true,
  ...more,
});
const wish = wishOf(USERS[0] as string);

const knownOf = (
  { key, resource, changeType, topic, whole }: Wish,
  more: Partial<KnownSubscription> = {},
) => ({
  id: 'known',
  wish: key,
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource,
  changeType,
  topic,
  whole,
  nonce: 'nonce',
  expiresAt: NOW + HOUR,
  ...more,
});

const listedOf = (
  { resource, changeType }: Wish,
  more: Partial<ListedSubscription> = {},
): ListedSubscription => ({
  id: 'listed',
  resource,
  changeType,
  nonce: 'nonce',
  expiresAt: NOW + HOUR,
  ...more,
});

const plan = (known: KnownSubscription[], listed?: ListedSubscription[], wishes: Wish[] = [wish]) =>
  planRenewal(wishes, known, listed, NOW);

describe('a wish', () => {
  it('without a subscription gets one', () => {
    expect(plan([])).toEqual([{ do: 'create', wish, replaces: undefined, lost: false }]);
  });

  it('that is served needs nothing, whether or not Graph was asked', () => {
    const known = knownOf(wish);
    expect(plan([known])).toEqual([]);
    expect(plan([known], [listedOf(wish, { id: 'known' })])).toEqual([]);
  });

  it('is renewed when a third of its life is left, some of them earlier, and none before the half', () => {
    const life = LIFE_MINUTES * MINUTE;
    const due = knownOf(wish, { expiresAt: NOW + life / 3 });
    expect(plan([due])).toEqual([{ do: 'renew', wish, subscription: due }]);
    expect(plan([knownOf(wish, { expiresAt: NOW + life / 2 + 1 })])).toEqual([]);
  });

  const replaced: [string, boolean, Partial<KnownSubscription>, ListedSubscription[] | undefined][] = [
    ['has expired', true, { expiresAt: NOW }, undefined],
    ['Graph does not list', true, {}, []],
    // That hole is known from the lifecycle notification.
    ['Graph reported as removed', false, { demand: 'recreate' }, undefined],
    ['watches another resource', false, { resource: `users/${USERS[1]}/events` }, undefined],
    ['watches other changes', false, { changeType: 'created' }, undefined],
    ['serves another topic', false, { topic: 'elsewhere' }, undefined],
  ];
  it.each(replaced)(
    'gets a new one for the one that %s; a hole nobody knew of: %s',
    (_name, lost, more, listed) => {
      const known = knownOf(wish, more);
      expect(plan([known], listed)).toEqual([{ do: 'create', wish, replaces: known, lost }]);
    },
  );

  it('is renewed where Graph demands it, however much life is left', () => {
    const demanded = knownOf(wish, { demand: 'renew' });
    expect(plan([demanded])).toEqual([{ do: 'renew', wish, subscription: demanded }]);
  });

  it('does not mind the order and spelling in which Graph answers changes and resource', () => {
    const known = knownOf(wish, {
      changeType: 'deleted,Created,updated',
      resource: `/Users/${USERS[0]}/Events`,
    });
    expect(plan([known])).toEqual([]);
  });

  it('adopts a subscription of ours that we had lost sight of, but no expired or foreign one', () => {
    const ours = listedOf(wish);
    expect(plan([], [ours])).toEqual([{ do: 'adopt', wish, listed: ours }]);
    for (const other of [{ expiresAt: NOW }, { resource: 'users/x/events' }, { changeType: 'deleted' }]) {
      expect(plan([], [listedOf(wish, other)])).toMatchObject([{ do: 'create' }]);
    }
  });

  it('does not adopt what was replaced for it', () => {
    const old = knownOf(wish, { replacedAt: NOW - HOUR });
    expect(plan([old], [listedOf(wish, { id: 'known' })])).toMatchObject([{ do: 'create' }]);
  });

  it('never shares a subscription with another wish', () => {
    const rival = { ...wish, key: 'rival', topic: 'elsewhere' };
    expect(plan([], [listedOf(wish)], [wish, rival])).toMatchObject([
      { do: 'adopt', wish },
      { do: 'create', wish: rival },
    ]);
  });
});

describe('a rich wish', () => {
  const rich = wishOf(USERS[0] as string, { rich: true, select: ['subject', 'start'] });
  const certificate = { id: 'key-2', base64: 'MIIB' };
  const richKnown = (more: Partial<KnownSubscription> = {}) =>
    knownOf(rich, { rich: true, select: ['subject', 'start'], certificateId: 'key-2', ...more });
  const planRich = (known: KnownSubscription[], listed?: ListedSubscription[]) =>
    planRenewal([rich], known, listed, NOW, { certificate });

  it('is changed over to the current certificate, however much life is left, and then left alone', () => {
    const old = richKnown({ certificateId: 'key-1' });
    expect(planRich([old])).toEqual([{ do: 'renew', wish: rich, subscription: old, certificate }]);
    const { certificateId: _unknown, ...adopted } = richKnown();
    expect(planRich([adopted])).toMatchObject([{ do: 'renew', certificate }]);
    expect(planRich([richKnown()])).toEqual([]);
  });

  it('is not changed back by a worker that does not hold the newer key yet; after a quarter of an hour it is', () => {
    const left = (ms: number) =>
      richKnown({ certificateId: 'key-3', formerCertificates: [{ id: 'key-2', until: NOW - ms }] });
    expect(planRich([left(15 * MINUTE - 1)])).toEqual([]);
    expect(planRich([left(15 * MINUTE)])).toMatchObject([{ do: 'renew', certificate }]);
    const due = { ...left(0), expiresAt: NOW + MINUTE };
    expect(planRich([due])).toEqual([{ do: 'renew', wish: rich, subscription: due }]);
  });

  it('keeps its certificate while there is no current one, and is renewed without one', () => {
    const due = richKnown({ certificateId: 'key-1', expiresAt: NOW + MINUTE });
    expect(planRenewal([rich], [due], undefined, NOW)).toEqual([
      { do: 'renew', wish: rich, subscription: due },
    ]);
    expect(planRenewal([rich], [richKnown()], undefined, NOW)).toEqual([]);
  });

  it.each<[string, Partial<KnownSubscription>]>([
    ['an ordinary one', { rich: false }],
    ['one that selects something else', { select: ['subject'] }],
  ])('is not served by %s', (_name, more) => {
    expect(planRich([richKnown(more)])).toMatchObject([{ do: 'create', lost: false }]);
  });

  it('adopts a rich one that selects the same in any order and spelling, and no other', () => {
    const ours = listedOf(rich, { rich: true, select: ['Start', 'subject'] });
    expect(planRich([], [ours])).toEqual([{ do: 'adopt', wish: rich, listed: ours }]);
    expect(planRich([], [listedOf(rich, { select: ['start', 'subject'] })])).toMatchObject([
      { do: 'create' },
    ]);
    expect(planRich([], [listedOf(rich, { rich: true, select: ['start'] })])).toMatchObject([
      { do: 'create' },
    ]);
    expect(plan([], [listedOf(wish, { rich: true })])).toMatchObject([{ do: 'create' }]);
  });
});

describe('an ordinary wish', () => {
  it('is never given a certificate', () => {
    expect(
      planRenewal([wish], [knownOf(wish)], undefined, NOW, { certificate: { id: 'key-1', base64: '' } }),
    ).toEqual([]);
  });

  it.each<[string, Partial<Wish>]>([
    ['shows other properties', { select: ['subject'] }],
    ['is fetched in another way', { prefer: ['outlook.body-content-type="text"'] }],
    ['belongs to another tenant in our books', { tenantId: '00000000-0000-4000-8000-000000000000' }],
  ])('that %s than before keeps its subscription, and what we know of it is amended', (_how, more) => {
    const changed = wishOf(USERS[0] as string, more);
    const subscription = knownOf(changed, more);
    expect(plan([knownOf(changed)], undefined, [changed])).toEqual([
      { do: 'amend', wish: changed, subscription },
    ]);
    expect(plan([subscription], undefined, [changed])).toEqual([]);
    expect(plan([subscription])).toEqual([{ do: 'amend', wish, subscription: knownOf(wish) }]);
  });

  it('that is due as well is amended by the renewal', () => {
    const changed = wishOf(USERS[0] as string, { select: ['subject'] });
    const due = { expiresAt: NOW + MINUTE };
    expect(plan([knownOf(changed, due)], undefined, [changed])).toEqual([
      { do: 'renew', wish: changed, subscription: knownOf(changed, { ...due, select: ['subject'] }) },
    ]);
  });

  it.each<[string, Partial<Wish>]>([
    ['immutable ids', { immutableIds: true }],
    ['a filter', { filter: 'isAllDay eq true' }],
  ])('gets a new subscription for %s, and another one without', (_what, more) => {
    const changed = wishOf(USERS[0] as string, more);
    const asWished = knownOf(changed, more);
    expect(plan([knownOf(changed)], undefined, [changed])).toMatchObject([{ do: 'create', lost: false }]);
    expect(plan([asWished], undefined, [changed])).toEqual([]);
    expect(plan([asWished])).toMatchObject([{ do: 'create', lost: false }]);
  });

  it('adopts one with its filter, however Graph encodes that, and none with another', () => {
    const filtering = wishOf(USERS[0] as string, { filter: "startswith(subject,'50% & more')" });
    const shown = (filter: string) => [listedOf(filtering, { filter })];
    const asSent = encodeURIComponent(filtering.filter ?? '');
    for (const filter of [filtering.filter ?? '', asSent, asSent.replaceAll('%20', '+')]) {
      expect(plan([], shown(filter), [filtering])).toMatchObject([{ do: 'adopt' }]);
    }
    expect(plan([], shown('isAllDay eq true'), [filtering])).toMatchObject([{ do: 'create' }]);
    expect(plan([], [listedOf(filtering)], [filtering])).toMatchObject([{ do: 'create' }]);
  });
});

describe('a known subscription', () => {
  it('is deleted once nobody wants it', () => {
    const known = knownOf(wish);
    expect(plan([known], undefined, [])).toEqual([{ do: 'delete', subscription: known }]);
  });

  it('is remembered for the 4 hours in which Graph may still deliver for it', () => {
    const replacedAt = (ms: number) => knownOf(wish, { replacedAt: NOW - ms });
    expect(plan([replacedAt(4 * HOUR)], undefined, [])).toEqual([]);
    expect(plan([replacedAt(4 * HOUR + 1)], undefined, [])).toMatchObject([{ do: 'forget' }]);
  });

  it('is deleted where another one serves the same wish: the one that lives longer stays', () => {
    const [shorter, longer] = [
      knownOf(wish, { id: 'shorter', expiresAt: NOW + HOUR }),
      knownOf(wish, { id: 'longer', expiresAt: NOW + HOUR + 1 }),
    ];
    expect(plan([longer, shorter])).toEqual([{ do: 'delete', subscription: shorter }]);
    expect(plan([shorter, longer])).toEqual([{ do: 'delete', subscription: shorter }]);
  });
});

type World = { known: KnownSubscription[]; atGraph: ListedSubscription[]; made: number };

/** What carrying out an action leaves behind, with a Graph that does what it is asked. */
function apply({ known, atGraph, made }: World, action: Action): World {
  const without = <T extends { id: string }>(all: T[], id: string | undefined) =>
    all.filter((one) => one.id !== id);
  const replace = (id: string | undefined) =>
    known.map((one) => (one.id === id ? { ...one, replacedAt: NOW } : one));
  switch (action.do) {
    case 'create': {
      const one = listedOf(action.wish, { id: `made-${made}`, expiresAt: NOW + LIFE_MINUTES * MINUTE });
      const rest = without(atGraph, action.replaces?.id);
      return {
        known: [...replace(action.replaces?.id), knownOf(action.wish, one)],
        atGraph: [...rest, one],
        made: made + 1,
      };
    }
    case 'renew': {
      const expiresAt = NOW + LIFE_MINUTES * MINUTE;
      const { demand: _demand, ...rest } = action.subscription;
      const renewed = { ...rest, expiresAt };
      return { known: [...without(known, renewed.id), renewed], atGraph, made };
    }
    case 'amend':
      return { known: [...without(known, action.subscription.id), action.subscription], atGraph, made };
    case 'adopt':
      return { known: [...known, knownOf(action.wish, action.listed)], atGraph, made };
    case 'delete':
      return {
        known: replace(action.subscription.id),
        atGraph: without(atGraph, action.subscription.id),
        made,
      };
    case 'close': {
      const { hole: _hole, ...whole } = action.subscription;
      return { known: [...without(known, whole.id), whole], atGraph, made };
    }
    case 'forget':
      return { known: without(known, action.subscription.id), atGraph, made };
  }
}

describe('the plan, whatever is wanted, known and listed', () => {
  const user = fc.constantFrom(...USERS);
  const wishes = fc.uniqueArray(user).map((users) => users.map((one) => wishOf(one)));
  const age = fc.integer({ min: -5 * HOUR, max: 5 * HOUR });
  const subscription = fc.record({
    owner: user,
    watches: fc.option(user, { nil: undefined, freq: 5 }),
    topic: fc.constantFrom('graph.events', 'graph.events', 'elsewhere'),
    expiresAt: age.map((ms) => NOW + ms),
    replaced: fc.option(
      age.map((ms) => NOW - Math.abs(ms)),
      { nil: undefined },
    ),
    demand: fc.constantFrom(undefined, undefined, 'renew' as const, 'recreate' as const),
    isKnown: fc.boolean(),
    isListed: fc.boolean(),
  });
  const world = fc.array(subscription, { maxLength: 8 }).map((all): World => {
    const described = all.map(({ owner, watches, replaced, demand, ...one }, i) => ({
      ...one,
      whole: wishOf(owner),
      resource: wishOf(watches ?? owner).resource,
      id: `id-${i}`,
      ...(replaced === undefined ? {} : { replacedAt: replaced }),
      ...(demand === undefined ? {} : { demand }),
    }));
    return {
      known: described
        .filter(({ isKnown }) => isKnown)
        .map(({ whole, id, resource, topic, expiresAt, ...rest }) =>
          knownOf(whole, {
            id,
            resource,
            topic,
            expiresAt,
            ...('replacedAt' in rest ? { replacedAt: rest.replacedAt as number } : {}),
            ...('demand' in rest ? { demand: rest.demand as 'renew' } : {}),
          }),
        ),
      atGraph: described
        .filter(({ isListed, expiresAt }) => isListed && expiresAt > NOW)
        .map(({ whole, id, resource, expiresAt }) => listedOf(whole, { id, resource, expiresAt })),
      made: 0,
    };
  });

  it('leaves each wish with one serving subscription, which lives, and no subscription with two wishes', () => {
    fc.assert(
      fc.property(wishes, world, fc.boolean(), (wanted, before, askGraph) => {
        const actions = planRenewal(wanted, before.known, askGraph ? before.atGraph : undefined, NOW);
        const after = actions.reduce(apply, before);
        const serving = after.known.filter(({ replacedAt }) => replacedAt === undefined);
        expect(serving.map((one) => one.wish).toSorted()).toEqual(wanted.map(({ key }) => key).toSorted());
        expect(new Set(serving.map(({ id }) => id)).size).toBe(serving.length);
        for (const one of serving) expect(one.expiresAt).toBeGreaterThan(NOW);
        if (askGraph) {
          const alive = after.atGraph.map(({ id }) => id);
          expect(alive).toEqual(expect.arrayContaining(serving.map(({ id }) => id)));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('does nothing the second time, but for renewing what it adopted late in its life', () => {
    fc.assert(
      fc.property(wishes, world, (wanted, before) => {
        const first = planRenewal(wanted, before.known, before.atGraph, NOW);
        const after = first.reduce(apply, before);
        const second = planRenewal(wanted, after.known, after.atGraph, NOW);
        const adopted = first.flatMap((action) => (action.do === 'adopt' ? action.listed.id : []));
        const unexpected = second.filter(
          (action) => action.do !== 'renew' || !adopted.includes(action.subscription.id),
        );
        expect(unexpected).toEqual([]);
        const last = second.reduce(apply, after);
        expect(planRenewal(wanted, last.known, last.atGraph, NOW)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
