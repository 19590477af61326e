/** Which subscriptions are changed over to a new clientState secret or certificate, when, and how many at once. */
import { describe, expect, it } from 'vitest';
import { type Held, MOST_NEW_CERTIFICATES, MOST_NEW_SECRETS } from '../../src/subscriptions/changeover.ts';
import { type Action, planRenewal } from '../../src/subscriptions/renewal-plan.ts';
import type { KnownSubscription } from '../../src/subscriptions/subscription-store.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIFE_MINUTES = 24 * 60;
const WHOLE_LIFE = LIFE_MINUTES * MINUTE;

const wishOf = (nth: number, more: Partial<Wish> = {}): Wish => ({
  key: `calendars/${nth}`,
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource: `users/u${nth}/events`,
  changeType: 'created',
  topic: 'graph.events',
  lifeMinutes: LIFE_MINUTES,
  whole: true,
  ...more,
});

/** Serves the wish for an hour already, and carries the secret `old`. */
const knownOf = (
  { key, lifeMinutes: _life, ...wish }: Wish,
  more: Partial<KnownSubscription> = {},
): KnownSubscription => ({
  ...wish,
  id: `of ${key}`,
  wish: key,
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  nonce: 'nonce',
  secret: 'old',
  servingSince: NOW - HOUR,
  expiresAt: NOW + WHOLE_LIFE,
  ...more,
});

const HELD: Held = { secrets: ['new', 'old'] };
const wish = wishOf(0);
const plan = (known: KnownSubscription[], held = HELD, wishes = [wish], now = NOW) =>
  planRenewal(wishes, known, undefined, now, held);
const forSecret = (subscription: KnownSubscription, one = wish): Action => ({
  do: 'create',
  wish: one,
  replaces: subscription,
  lost: false,
  changesOver: 'secret',
});

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

/** What the pool of workers leaves behind: each reconciliation is one worker's, with the secrets that it holds. */
function carryOut(known: readonly KnownSubscription[], actions: readonly Action[], held: Held, now: number) {
  return actions.reduce<KnownSubscription[]>(
    (all, action, nth) => {
      if (action.do === 'forget') return all.filter(({ id }) => id !== action.subscription.id);
      if (action.do !== 'create') return all;
      const made = knownOf(action.wish, {
        id: `made at ${now} as ${nth}`,
        servingSince: now,
        expiresAt: now + WHOLE_LIFE,
        secret: held.secrets?.[0] ?? '',
      });
      const rest = all.map((one) => (one.id === action.replaces?.id ? { ...one, replacedAt: now } : one));
      return [...rest, made];
    },
    [...known],
  );
}

describe('a subscription with an old clientState secret', () => {
  it('is made anew, also where its secret is not known; one with the first secret is left alone', () => {
    const old = knownOf(wish);
    expect(plan([old])).toEqual([forSecret(old)]);
    const { secret: _unknown, ...unknown } = old;
    expect(plan([unknown])).toEqual([forSecret(unknown)]);
    expect(plan([knownOf(wish, { secret: 'new' })])).toEqual([]);
  });

  it('is left alone for the first quarter of an hour, in which workers may hold different secrets', () => {
    const made = (ms: number) => knownOf(wish, { servingSince: NOW - ms });
    expect(plan([made(15 * MINUTE - 1)])).toEqual([]);
    expect(plan([made(15 * MINUTE)])).toHaveLength(1);
    const { servingSince: _unknown, ...older } = made(0);
    expect(plan([older])).toEqual([forSecret(older)]);
  });

  it('is not made anew with a secret that a remembered one of its wish has left', () => {
    const left = (secret: string, one = wish) =>
      knownOf(one, { id: 'left', secret, replacedAt: NOW - 3 * HOUR });
    expect(plan([knownOf(wish), left('new')])).toEqual([]);
    expect(plan([knownOf(wish), left('older')])).toHaveLength(1);
    expect(plan([knownOf(wish), left('new', wishOf(1))])).toHaveLength(1);
  });

  it('is made anew once at most while two workers hold the secrets in different orders', () => {
    const wishes = range(5).map((nth) => wishOf(nth));
    let known = wishes.map((one) => knownOf(one));
    const created: Action[] = [];
    for (let minute = 0; minute < 4 * 60; minute++) {
      const now = NOW + minute * MINUTE;
      const held = minute % 2 === 0 ? HELD : { secrets: ['old', 'new'] };
      const actions = plan(known, held, wishes, now);
      created.push(...actions.filter((action) => action.do === 'create'));
      known = carryOut(known, actions, held, now);
    }
    expect(created).toHaveLength(5);
    expect(known.filter(({ replacedAt }) => replacedAt === undefined).map(({ secret }) => secret)).toEqual(
      wishes.map(() => 'new'),
    );
  });

  it('is renewed first where that is due, or made anew at once where it is lost', () => {
    const due = knownOf(wish, { expiresAt: NOW + MINUTE });
    expect(plan([due])).toEqual([{ do: 'renew', wish, subscription: due }]);
    const demanded = knownOf(wish, { demand: 'renew' });
    expect(plan([demanded])).toEqual([{ do: 'renew', wish, subscription: demanded }]);
    const expired = knownOf(wish, { expiresAt: NOW });
    expect(plan([expired])).toEqual([{ do: 'create', wish, replaces: expired, lost: true }]);
  });
});

describe('many subscriptions with an old clientState secret', () => {
  const wishes = range(120).map((nth) => wishOf(nth));
  const known = wishes.map((one, nth) => knownOf(one, { expiresAt: NOW + WHOLE_LIFE - nth * MINUTE }));

  it('are made anew so many at a time, what ends next first, until none is left', () => {
    const first = plan(known, HELD, wishes);
    const soonest = known.toReversed().slice(0, MOST_NEW_SECRETS);
    expect(first).toEqual(
      soonest.map((one) => forSecret(one, wishes.find(({ key }) => key === one.wish) as Wish)),
    );
    const second = carryOut(known, first, HELD, NOW);
    const third = carryOut(second, plan(second, HELD, wishes), HELD, NOW);
    expect(plan(third, HELD, wishes)).toHaveLength(120 - 2 * MOST_NEW_SECRETS);
    const last = carryOut(third, plan(third, HELD, wishes), HELD, NOW);
    expect(plan(last, HELD, wishes)).toEqual([]);
  });

  it('hold back no renewal and nothing that is lost: those come first, all of them', () => {
    const urgent = known.map((one, nth) => {
      if (nth < 30) return { ...one, expiresAt: NOW };
      return nth < 60 ? { ...one, expiresAt: NOW + HOUR } : one;
    });
    const actions = plan(urgent, HELD, wishes);
    expect(actions.slice(0, 30)).toMatchObject(range(30).map(() => ({ do: 'create', lost: true })));
    expect(actions.slice(30, 60)).toMatchObject(range(30).map(() => ({ do: 'renew' })));
    expect(actions.slice(60)).toMatchObject(range(MOST_NEW_SECRETS).map(() => ({ changesOver: 'secret' })));
  });

  it('stay while one that was let go could not be made anew, for 10 minutes', () => {
    const [first, ...others] = known;
    const after = (ms: number) => [{ ...(first as KnownSubscription), replacedAt: NOW - ms }, ...others];
    const create = { do: 'create', wish: wishes[0], replaces: undefined, lost: false };
    expect(plan(after(10 * MINUTE - 1), HELD, wishes)).toEqual([create]);
    expect(plan(after(10 * MINUTE), HELD, wishes)).toHaveLength(1 + MOST_NEW_SECRETS);
    expect(plan(after(0), HELD, wishes.slice(1))).toHaveLength(MOST_NEW_SECRETS);
  });
});

describe('a subscription with a secret that is not held', () => {
  const listed: never[] = [];

  it('is a hole: its notifications are dropped as forged', () => {
    const known = knownOf(wish, { secret: 'taken away' });
    expect(plan([known])).toEqual([{ do: 'create', wish, replaces: known, lost: true }]);
  });

  it('is left alone at first, also where it is not recognized in the list: another worker holds it already', () => {
    const made = (ms: number) => knownOf(wish, { secret: 'newer', servingSince: NOW - ms });
    expect(planRenewal([wish], [made(15 * MINUTE - 1)], listed, NOW, HELD)).toEqual([]);
    expect(planRenewal([wish], [made(15 * MINUTE)], listed, NOW, HELD)).toMatchObject([{ lost: true }]);
    const due = { ...made(0), expiresAt: NOW + MINUTE };
    expect(planRenewal([wish], [due], listed, NOW, HELD)).toMatchObject([{ do: 'renew' }]);
  });
});

describe('a rich subscription', () => {
  const certificate = { id: 'key-2', base64: 'MIIB' };
  const richOf = (nth: number) => wishOf(nth, { rich: true, select: ['subject'] });
  const oldKey = { certificateId: 'key-1', secret: 'new' };

  it('gets the newest certificate before it is let go for its secret', () => {
    const rich = richOf(0);
    const held = { ...HELD, certificate };
    const old = knownOf(rich, { certificateId: 'key-1' });
    expect(plan([old], held, [rich])).toEqual([{ do: 'renew', wish: rich, subscription: old, certificate }]);
    const changed = knownOf(rich, { certificateId: 'key-2' });
    expect(plan([changed], held, [rich])).toEqual([forSecret(changed, rich)]);
  });

  it('is not let go for its secret where there is no certificate to make another one with', () => {
    expect(plan([knownOf(richOf(0), { certificateId: 'key-1' })], HELD, [richOf(0)])).toEqual([]);
  });

  it('gets a new certificate with so many others at a time, what ends next first; a renewal brings it along', () => {
    const wishes = range(MOST_NEW_CERTIFICATES + 100).map(richOf);
    const known = wishes.map((one, nth) =>
      knownOf(one, {
        ...oldKey,
        expiresAt: nth % 30 === 0 ? NOW + MINUTE : NOW + WHOLE_LIFE - nth * MINUTE,
      }),
    );
    const actions = plan(known, { ...HELD, certificate }, wishes);
    const isDue = (action: Action) => action.do === 'renew' && action.subscription.expiresAt === NOW + MINUTE;
    expect(actions.findLastIndex(isDue)).toBe(9);
    expect(actions.filter(isDue)).toMatchObject(range(10).map(() => ({ do: 'renew', certificate })));
    const paced = actions.slice(10);
    expect(paced).toMatchObject(range(MOST_NEW_CERTIFICATES).map(() => ({ do: 'renew', certificate })));
    const ends = paced.map((action) => (action.do === 'renew' ? action.subscription.expiresAt : 0));
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    const left = known.filter(
      (one) => !actions.some((action) => 'subscription' in action && action.subscription === one),
    );
    expect(Math.min(...left.map(({ expiresAt }) => expiresAt))).toBeGreaterThan(Math.max(...ends));
  });
});
