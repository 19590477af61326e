import { describe, expect, it } from 'vitest';
import { EndpointRating, GRAPH_ENDPOINT_RULES } from '../src/endpoint-rating.ts';

const TEN_MINUTES_MS = 600_000;
const LIMITS = { firstTimeoutMs: 3_000, retryTimeoutMs: 10_000 };

function rated(rules = {}) {
  const rating = new EndpointRating({ ...GRAPH_ENDPOINT_RULES, ...rules }, LIMITS);
  const record = (notifications: number, tookMs: number, nowMs: number, isAnswered = true) =>
    rating.record({ notifications, tookMs, isAnswered }, nowMs);
  return { rating, record };
}

describe('the rating of an endpoint', () => {
  it('is slow with more than 10 % of 100 over 3 s, and not with 10 %', () => {
    const { rating, record } = rated();
    record(90, 100, 0);
    record(10, 3_000, 1_000);
    expect(rating.view(1_000)).toEqual({ state: 'normal', responses: 100, slowShare: 0.1, dropShare: 0 });
    record(1, 3_000, 2_000, false);
    expect(rating.view(2_000).state).toBe('slow');
    expect(rating.admit(2_000)).toEqual({ kind: 'later', delayMs: TEN_MINUTES_MS });
  });

  it('says nothing of fewer than 100', () => {
    const { rating, record } = rated();
    record(99, 60_000, 0);
    expect(rating.admit(0)).toEqual({ kind: 'now' });
  });

  it('forgets what is 10 minutes old', () => {
    const { rating, record } = rated();
    record(60, 60_000, 0);
    record(99, 10, TEN_MINUTES_MS + 1_000);
    expect(rating.view(TEN_MINUTES_MS + 1_000)).toMatchObject({
      state: 'normal',
      responses: 99,
      slowShare: 0,
    });
  });

  it('is drop with more than 15 % over 10 s; the cut-off of a first attempt proves 3 s alone', () => {
    const { rating, record } = rated();
    record(85, 100, 0);
    record(15, 10_000, 0, false);
    expect(rating.view(0)).toMatchObject({ state: 'slow', dropShare: 0.15 });
    record(50, 3_000, 0, false);
    expect(rating.view(0).state).toBe('slow');
    record(20, 10_000, 0, false);
    expect(rating.view(0).state).toBe('drop');
    expect(rating.admit(TEN_MINUTES_MS - 1)).toEqual({ kind: 'never' });
  });

  it('tries five after 10 minutes, and ends slow if they come in time', () => {
    const { rating, record } = rated();
    record(100, 4_000, 0);
    const tried = Array.from({ length: 6 }, () => rating.admit(TEN_MINUTES_MS).kind);
    expect(tried).toEqual(['now', 'now', 'now', 'now', 'now', 'later']);
    record(4, 20, TEN_MINUTES_MS);
    expect(rating.view(TEN_MINUTES_MS).state).toBe('slow');
    record(1, 20, TEN_MINUTES_MS);
    expect(rating.view(TEN_MINUTES_MS).state).toBe('normal');
    expect(rating.admit(TEN_MINUTES_MS)).toEqual({ kind: 'now' });
  });

  it('goes on for 10 minutes more if they do not', () => {
    const { rating, record } = rated();
    record(100, 4_000, 0);
    for (let i = 0; i < 5; i += 1) rating.admit(TEN_MINUTES_MS);
    record(5, 4_000, TEN_MINUTES_MS);
    expect(rating.admit(TEN_MINUTES_MS + 1).kind).toBe('later');
    expect(rating.admit(2 * TEN_MINUTES_MS - 1).kind).toBe('later');
    expect(rating.admit(2 * TEN_MINUTES_MS).kind).toBe('now');
  });

  it('ends drop on answers within 10 s, of which a first attempt that was cut off is none', () => {
    const { rating, record } = rated();
    record(100, 11_000, 0);
    expect(rating.admit(0).kind).toBe('never');
    for (let i = 0; i < 5; i += 1) expect(rating.admit(TEN_MINUTES_MS).kind).toBe('now');
    expect(rating.admit(TEN_MINUTES_MS).kind).toBe('never');
    record(5, 3_000, TEN_MINUTES_MS, false);
    expect(rating.view(TEN_MINUTES_MS).state).toBe('drop');
    record(5, 9_000, TEN_MINUTES_MS + 9_000);
    expect(rating.view(TEN_MINUTES_MS + 9_000).state).toBe('normal');
  });

  it('takes what few there were for a trial when its 10 minutes are over', () => {
    const { rating, record } = rated();
    record(100, 4_000, 0);
    rating.admit(TEN_MINUTES_MS);
    record(1, 20, TEN_MINUTES_MS);
    expect(rating.admit(2 * TEN_MINUTES_MS).kind).toBe('now');
    expect(rating.view(2 * TEN_MINUTES_MS).state).toBe('normal');
  });

  it('is none where it is switched off', () => {
    const { rating, record } = rated({ isRated: false });
    record(1_000, 60_000, 0);
    expect(rating.admit(0)).toEqual({ kind: 'now' });
    expect(rating.view(0).state).toBe('normal');
  });
});
