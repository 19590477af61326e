/** Two workers at one Redis: what one finds out holds for both. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import type { GraphFailure } from '../../src/graph/graph-error.ts';
import { REFUSAL_TIMES, type RefusalTimes } from '../../src/limits/pause.ts';
import { createPauseStore } from '../../src/limits/pause-store.ts';
import { createTenantPauses, type TenantPauses } from '../../src/limits/tenant-pauses.ts';
import { type OwnRedis, ownRedis } from '../support/own-redis.ts';
import { keptLog } from '../support/silent-log.ts';

const TENANT = 'tenant-1';
const ADA = `${TENANT}/users/ada`;
const BEN = `${TENANT}/users/ben`;
const CIA = `${TENANT}/users/cia`;

const denied: GraphFailure = { kind: 'forbidden', code: 'ErrorAccessDenied' };
const refusedToken: GraphFailure = { kind: 'unauthorized', detail: 'InvalidAuthenticationToken' };
const appThrottled = (retryAfterMs: number): GraphFailure => ({
  kind: 'throttled',
  scope: 'app',
  retryAfterMs,
});
const mailboxThrottled: GraphFailure = { kind: 'throttled', scope: 'request', retryAfterMs: 300_000 };

function workers(times: RefusalTimes = REFUSAL_TIMES) {
  const own = ownRedis();
  const start = () => {
    const log = keptLog();
    const store = createPauseStore(own.redis, own.names);
    const newTokens: string[] = [];
    const askNewToken = (tenantId: string) => void newTokens.push(tenantId);
    return {
      log,
      newTokens,
      pauses: createTenantPauses({ store, log, random: () => 0, times, askNewToken }),
    };
  };
  return { own, one: start(), other: start() };
}

const event = (owner: string) => ({ tenantId: TENANT, owner, kind: 'event' });
const message = (owner: string) => ({ tenantId: TENANT, owner, kind: 'message' });
const refuse = (pauses: TenantPauses, owner: string, failure: GraphFailure) =>
  pauses.asking(event(owner)).failed(failure);
const answer = (pauses: TenantPauses, owner: string) => pauses.asking(event(owner)).answered();

/** Lets the time of all pauses be over. */
async function passTime({ redis, names }: OwnRedis): Promise<void> {
  const key = `${names.prefix}:pauses`;
  for (const [field, text] of Object.entries(await redis.hgetall(key))) {
    await redis.hset(key, field, JSON.stringify({ ...JSON.parse(text), until: 1 }));
  }
}

describe('a throttled app', () => {
  it('holds up every owner of the tenant at every worker, and none of another tenant, and is told once', async () => {
    const { one, other } = workers();
    expect(await refuse(one.pauses, ADA, appThrottled(60_000))).toMatchObject({ ms: 60_000, whole: true });
    await refuse(one.pauses, BEN, appThrottled(60_000));
    for (const { pauses } of [one, other]) {
      const heldUp = await pauses.ofTenant(TENANT, CIA);
      expect(heldUp?.ms).toBeGreaterThan(59_000);
      expect(heldUp).toMatchObject({ whole: true, reason: expect.stringContaining('throttled') });
      expect(await pauses.ofTenant('tenant-2', 'tenant-2/users/dan')).toBeUndefined();
    }
    expect(
      [...one.log.lines, ...other.log.lines].filter((line) => line.includes('tenant.paused')),
    ).toHaveLength(1);
    expect(await other.pauses.list()).toMatchObject([
      {
        tenantId: TENANT,
        resources: 'all',
        reason: 'throttled',
        detail: 'throttled, the whole app, retry after 60000 ms',
      },
    ]);
  });

  it('lets one owner through when its time is over, and all when that one was answered', async () => {
    const { own, one, other } = workers();
    await refuse(one.pauses, ADA, appThrottled(60_000));
    await passTime(own);
    expect(await one.pauses.ofTenant(TENANT, ADA)).toBeUndefined();
    expect(await other.pauses.ofTenant(TENANT, BEN)).toMatchObject({ whole: true });
    expect(await one.pauses.ofTenant(TENANT, CIA)).toMatchObject({ whole: true });
    answer(one.pauses, ADA);
    await eventually(async () => expect(await other.pauses.list()).toEqual([]));
    expect(await other.pauses.ofTenant(TENANT, BEN)).toBeUndefined();
    expect(one.log.lines.filter((line) => line.includes('tenant.resumed'))).toHaveLength(1);
  });

  it('stays paused for as long as Graph asks, though requests that were under way are answered', async () => {
    const { one } = workers();
    const underWay = one.pauses.asking(event(BEN));
    await refuse(one.pauses, ADA, appThrottled(60_000));
    underWay.answered();
    answer(one.pauses, CIA);
    expect(await one.pauses.ofTenant(TENANT, CIA)).toMatchObject({ whole: true });
  });

  it('is concluded from five owners with no answer between, counted over the workers, for ten seconds', async () => {
    const { one, other } = workers();
    const owners = ['a', 'b', 'c', 'd'].map((name) => `${TENANT}/users/${name}`);
    for (const [i, owner] of owners.entries())
      expect(await refuse(i % 2 ? one.pauses : other.pauses, owner, mailboxThrottled)).toBeUndefined();
    expect(await refuse(one.pauses, ADA, mailboxThrottled)).toMatchObject({ ms: 10_000, whole: true });
  });

  it('is not concluded from one owner, however often it is throttled, nor where others are answered', async () => {
    const { one } = workers();
    for (let i = 0; i < 10; i++) expect(await refuse(one.pauses, ADA, mailboxThrottled)).toBeUndefined();
    for (let i = 0; i < 10; i++) {
      expect(await refuse(one.pauses, `${TENANT}/users/${i}`, mailboxThrottled)).toBeUndefined();
      answer(one.pauses, BEN);
    }
  });
});

describe('a refused token', () => {
  it('holds up nobody any longer once the app has another secret; a pause for another reason stays', async () => {
    const { one, other } = workers();
    await refuse(one.pauses, ADA, refusedToken);
    await other.pauses.credentialReplaced(TENANT);
    expect(await other.pauses.ofTenant(TENANT, BEN)).toBeUndefined();
    expect(await other.pauses.list()).toEqual([]);
    expect(other.log.lines.filter((line) => line.includes('tenant.resumed'))).toHaveLength(1);

    await refuse(one.pauses, ADA, appThrottled(60_000));
    await one.pauses.credentialReplaced(TENANT);
    expect(await one.pauses.ofTenant(TENANT, BEN)).toMatchObject({ whole: true });
  });

  it('pauses the tenant, and the refused probe prolongs it', async () => {
    const { own, one } = workers();
    expect(await refuse(one.pauses, ADA, refusedToken)).toMatchObject({ ms: 30_000, whole: true });
    await passTime(own);
    expect(await one.pauses.ofTenant(TENANT, BEN)).toBeUndefined();
    expect(await refuse(one.pauses, BEN, refusedToken)).toMatchObject({ whole: true });
    expect((await one.pauses.ofTenant(TENANT, ADA))?.ms).toBeGreaterThan(25_000);
    expect(one.log.lines.filter((line) => line.includes('tenant.paused'))).toHaveLength(1);
  });

  it('of a single owner, while others are answered, holds up nobody else', async () => {
    const { own, one } = workers();
    await refuse(one.pauses, ADA, refusedToken);
    await passTime(own);
    await one.pauses.ofTenant(TENANT, BEN);
    answer(one.pauses, BEN);
    await eventually(async () => expect(await one.pauses.list()).toEqual([]));
    expect(await refuse(one.pauses, ADA, refusedToken)).toBeUndefined();
    expect(await one.pauses.list()).toEqual([]);
  });
});

describe('a withdrawn consent', () => {
  it('is told from two mailboxes at two workers; it holds up that kind of resource and nothing else', async () => {
    const { one, other } = workers();
    expect(await refuse(one.pauses, ADA, denied)).toEqual({
      ms: 1500,
      reason: expect.any(String),
      whole: false,
    });
    expect((await refuse(other.pauses, BEN, denied))?.ms).toBe(30_000);
    for (const { pauses } of [one, other]) {
      expect(await pauses.ofTenant(TENANT, ADA)).toBeUndefined();
      expect(await pauses.ofKind(event(ADA))).toMatchObject({ whole: false });
      expect(await pauses.ofKind(message(ADA))).toBeUndefined();
    }
  });

  it('is over at once for a mailbox that was not refused, five seconds after the last probe', async () => {
    const { own, one } = workers();
    await refuse(one.pauses, ADA, denied);
    await refuse(one.pauses, BEN, denied);
    expect(await one.pauses.ofKind(event(CIA))).toMatchObject({ whole: false });
    const key = `${own.names.prefix}:pauses`;
    const [[field, text]] = Object.entries(await own.redis.hgetall(key)) as [[string, string]];
    const known = JSON.parse(text) as { at: number; probed: number };
    await own.redis.hset(
      key,
      field,
      JSON.stringify({ ...known, at: known.at - 5000, probed: known.probed - 5000 }),
    );
    expect(await one.pauses.ofKind(event(ADA))).toMatchObject({ whole: false });
    expect(await one.pauses.ofKind(event(CIA))).toBeUndefined();
    answer(one.pauses, CIA);
    await eventually(async () => expect(await one.pauses.list()).toEqual([]));
    // By now it is known that each was refused for itself.
    expect(await refuse(one.pauses, ADA, denied)).toBeUndefined();
  });

  it('has a new token asked for with each probe: an older one does not know that it was given again', async () => {
    const { own, one } = workers();
    await refuse(one.pauses, ADA, denied);
    await refuse(one.pauses, BEN, denied);
    expect(one.newTokens).toEqual([]);
    await passTime(own);
    expect(await one.pauses.ofKind(event(ADA))).toBeUndefined();
    expect(one.newTokens).toEqual([TENANT]);
  });

  it('is not concluded where mailboxes are read between the refusals; each is told once a day', async () => {
    const { one, other } = workers();
    for (const owner of [ADA, BEN]) {
      await refuse(one.pauses, owner, denied);
      await eventually(async () => {
        answer(one.pauses, CIA);
        expect(await refuse(one.pauses, owner, denied)).toBeUndefined();
      });
    }
    await refuse(other.pauses, ADA, denied);
    expect(await one.pauses.list()).toEqual([]);
    expect(one.log.lines.filter((line) => line.includes('owner.forbidden'))).toHaveLength(2);
  });

  it('of a single mailbox cannot be told from its own refusal: after a while that is believed', async () => {
    const { one } = workers({ ...REFUSAL_TIMES, decideAfterMs: 50 });
    expect(await refuse(one.pauses, ADA, denied)).toMatchObject({ whole: false });
    await eventually(async () => expect(await refuse(one.pauses, ADA, denied)).toBeUndefined());
  });

  it('is believed of a worker whose own token reads nothing, whatever others with an older one still read', async () => {
    const { one, other } = workers();
    await refuse(one.pauses, ADA, denied);
    answer(other.pauses, CIA);
    expect((await refuse(one.pauses, BEN, denied))?.ms).toBe(30_000);
  });
});

describe('while Redis does not answer', () => {
  it('owners go on by what was last seen', async () => {
    const log = keptLog();
    const own = ownRedis();
    const store = createPauseStore(own.redis, own.names);
    const away = { ...store, read: () => Promise.reject(new Error('away')) };
    const pauses = createTenantPauses({ store: away, log, random: () => 0 });
    expect(await pauses.ofTenant(TENANT, ADA)).toBeUndefined();
    expect(log.lines.join()).toContain('pauses.not-read');
  });
});

describe('what is kept of all this in Redis', () => {
  it('ends by itself', async () => {
    const { own, one } = workers({ ...REFUSAL_TIMES, decideAfterMs: 0 });
    await refuse(one.pauses, ADA, denied);
    await refuse(one.pauses, ADA, refusedToken);
    await refuse(one.pauses, ADA, appThrottled(1000));
    const keys = await own.redis.keys(`${own.names.prefix}*`);
    expect(keys.length).toBeGreaterThanOrEqual(6);
    for (const key of keys) expect([key, (await own.redis.pttl(key)) > 0]).toEqual([key, true]);
  });
});
