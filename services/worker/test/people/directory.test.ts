/** How long Graph is waited for before a list is given up until the next look. */
import { describe, expect, it } from 'vitest';
import type { GraphFailure } from '../../src/graph/graph-error.ts';
import { waitAfter } from '../../src/people/directory.ts';

const throttled = (retryAfterMs?: number): GraphFailure => ({
  kind: 'throttled',
  retryAfterMs,
  scope: 'app',
});
const transient: GraphFailure = { kind: 'transient', detail: 'status 503' };

describe('a request for a list that fails', () => {
  it.each<[string, GraphFailure, number, number | undefined]>([
    ['throttled', throttled(2128), 1, 2128],
    ['throttled for as long as may be waited', throttled(20_000), 3, 20_000],
    ['throttled for longer', throttled(20_001), 1, undefined],
    ['throttled without a time', throttled(), 2, 2000],
    ['throttled again and again', throttled(100), 4, undefined],
    ['away', transient, 1, 1000],
    ['away again', transient, 3, 4000],
    ['away for good', transient, 4, undefined],
    ['forbidden', { kind: 'forbidden', code: 'Authorization_RequestDenied' }, 1, undefined],
    ['of nothing', { kind: 'notFound' }, 1, undefined],
    ['wrong', { kind: 'rejected', status: 400, code: 'BadRequest', detail: '' }, 1, undefined],
  ])('since Graph is %s waits as it should', (_how, failure, tries, waitMs) => {
    expect(waitAfter(failure, tries)).toBe(waitMs);
  });
});
