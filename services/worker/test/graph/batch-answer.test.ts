/** What Graph says to a batch → what became of each part. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatchAnswer } from '../../src/graph/batch-answer.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const read = (responses: unknown, ids: readonly string[] = ['1']) => readBatchAnswer({ responses }, ids, NOW);

describe('the answer to a batch', () => {
  it('is told apart by the ids, in whatever order it comes', () => {
    const parts = [
      { id: '3', status: 204 },
      { id: '1', status: 200, headers: { 'Content-Type': 'application/json' }, body: { id: 'a' } },
      { id: '2', status: 404, body: { error: { code: 'ErrorItemNotFound', message: '' } } },
    ];
    expect(read(parts, ['1', '2', '3'])).toEqual([
      { ok: true, status: 200, body: { id: 'a' } },
      { ok: false, failure: { kind: 'notFound' } },
      { ok: true, status: 204, body: undefined },
    ]);
  });

  it.each([
    ['a fraction', { 'Retry-After': '2.128' }, 2128],
    ['a number', { 'retry-after': 3 }, 3000],
    ['a date', { 'RETRY-AFTER': 'Mon, 23 Nov 2026 12:00:09 GMT' }, 9000],
    ['an absurd number', { 'Retry-After': '99999999' }, 3_600_000],
    ['a negative number', { 'Retry-After': '-1' }, undefined],
    ['words', { 'Retry-After': 'soon' }, undefined],
    ['a list', { 'Retry-After': ['1', '2'] }, undefined],
    ['nothing', {}, undefined],
    ['no headers at all', null, undefined],
  ])('gives each part its own Retry-After: %s', (_name, headers, retryAfterMs) => {
    const parts = [
      { id: '1', status: 429, headers, body: null },
      { id: '2', status: 200, headers: { 'Retry-After': '77' }, body: {} },
    ];
    expect(read(parts, ['1', '2'])).toEqual([
      { ok: false, failure: { kind: 'throttled', retryAfterMs, scope: 'request' } },
      { ok: true, status: 200, body: {} },
    ]);
  });

  it("reads the scope of a part's throttling from its own headers", () => {
    const headers = { 'X-Ms-Throttle-Scope': 'Tenant_Application/Read/x/y' };
    expect(read([{ id: '1', status: 429, headers }])).toMatchObject([{ failure: { scope: 'app' } }]);
  });

  it.each([
    ['is missing', [], 'transient'],
    ['comes under another name', [{ id: '21', status: 200, body: {} }], 'transient'],
    ['has a number for a name', [{ id: 1, status: 200, body: {} }], 'transient'],
    ['comes twice', Array(2).fill({ id: '1', status: 200, body: {} }), 'unusable'],
    ['has no status', [{ id: '1', body: {} }], 'unusable'],
    ['has a text for a status', [{ id: '1', status: '200', body: {} }], 'unusable'],
    ['has a status that is none', [{ id: '1', status: 99, body: {} }], 'unusable'],
    ['has a text for headers', [{ id: '1', status: 200, headers: 'x', body: {} }], 'unusable'],
    ['is empty', [{ id: '1', status: 200 }], 'unusable'],
    ['is null', [{ id: '1', status: 200, body: null }], 'unusable'],
    ['is a redirect', [{ id: '1', status: 302, headers: { Location: 'https://elsewhere/' } }], 'unusable'],
    ['has failed at a gateway', [{ id: '1', status: 502, body: '<html>' }], 'transient'],
  ])('has a failure for a part that %s', (_name, responses, kind) => {
    expect(read(responses)).toMatchObject([{ ok: false, failure: { kind } }]);
  });

  it.each([[undefined], [null], ['text'], [[]], [{}], [{ responses: null }], [{ responses: {} }]])(
    'is none where it is %j',
    (body) => {
      expect(readBatchAnswer(body, ['1'], NOW)).toBeUndefined();
    },
  );

  it('says something of every part, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), fc.uniqueArray(fc.string()), (responses, ids) => {
        expect(read(responses, ids)?.map(({ ok }) => typeof ok)).toEqual(ids.map(() => 'boolean'));
      }),
    );
  });
});
