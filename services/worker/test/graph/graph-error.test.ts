/** Status, headers and body of an answer → the failure that it stands for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeFailure,
  failureOfAnswer,
  GraphError,
  type GraphFailure,
  parseRetryAfter,
} from '../../src/graph/graph-error.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const HOUR = 3_600_000;

const headersOf =
  (headers: Readonly<Record<string, string>> = {}) =>
  (name: string) =>
    headers[name] ?? null;

describe('Retry-After', () => {
  it.each([
    ['seconds', '5', 5000],
    ['none', '0', 0],
    ["a fraction, as in Microsoft's sample", '2.128', 2128],
    ['with spaces round it', ' 7 ', 7000],
    ['a date', 'Mon, 23 Nov 2026 12:00:09 GMT', 9000],
    ['an absurd number', '31536000', HOUR],
    ['an absurd date', 'Wed, 23 Nov 2050 12:00:00 GMT', HOUR],
    ['a number beyond all numbers', '9'.repeat(400), HOUR],
    ['a date in the past', 'Mon, 23 Nov 2026 11:59:59 GMT', undefined],
    ['a negative number', '-3', undefined],
    ['nothing', '', undefined],
    ['only spaces', '  ', undefined],
    ['words', 'soon', undefined],
    ['words that a lenient parser reads as the year 3000', 'after 3000', undefined],
    ['a list', '5, 10', undefined],
    ['a unit', '12s', undefined],
    ['a hexadecimal number', '0x10', undefined],
    ['an exponent', '1e3', undefined],
    ['infinity', 'Infinity', undefined],
    ['not a number', 'NaN', undefined],
  ])('that is %s (%j) comes to %s ms', (_name, value, ms) => {
    expect(parseRetryAfter(value, NOW)).toBe(ms);
  });

  it('counts as absent where the header is', () => {
    expect(parseRetryAfter(null, NOW)).toBeUndefined();
  });

  it('is absent or between 0 and an hour, whatever the header holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String)), (value) => {
        const ms = parseRetryAfter(value, NOW);
        if (ms === undefined) return;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(HOUR);
      }),
    );
  });
});

describe('an answer', () => {
  const body = { error: { code: 'SomeCode', message: 'Some words.' } };
  const table: [number, string | undefined, GraphFailure][] = [
    [301, undefined, { kind: 'unusable', detail: 'a redirect (status 301)' }],
    [307, undefined, { kind: 'unusable', detail: 'a redirect (status 307)' }],
    [400, undefined, { kind: 'rejected', status: 400, code: 'SomeCode', detail: 'Some words.' }],
    [401, undefined, { kind: 'unauthorized', detail: 'SomeCode' }],
    [402, undefined, { kind: 'rejected', status: 402, code: 'SomeCode', detail: 'Some words.' }],
    [403, undefined, { kind: 'forbidden', code: 'SomeCode' }],
    [404, undefined, { kind: 'notFound' }],
    [408, undefined, { kind: 'transient', detail: 'status 408 (SomeCode)' }],
    [409, undefined, { kind: 'rejected', status: 409, code: 'SomeCode', detail: 'Some words.' }],
    [410, undefined, { kind: 'gone' }],
    [429, undefined, { kind: 'throttled', retryAfterMs: undefined, scope: 'request' }],
    [429, '2.128', { kind: 'throttled', retryAfterMs: 2128, scope: 'request' }],
    [500, undefined, { kind: 'transient', detail: 'status 500 (SomeCode)' }],
    [502, undefined, { kind: 'transient', detail: 'status 502 (SomeCode)' }],
    [503, undefined, { kind: 'transient', detail: 'status 503 (SomeCode)' }],
    [503, '-4', { kind: 'transient', detail: 'status 503 (SomeCode)' }],
    [503, '4', { kind: 'throttled', retryAfterMs: 4000, scope: 'request' }],
    [504, '4', { kind: 'transient', detail: 'status 504 (SomeCode)' }],
    [509, undefined, { kind: 'transient', detail: 'status 509 (SomeCode)' }],
  ];

  it.each(table)('of status %i with Retry-After %s is %j', (status, retryAfter, failure) => {
    const headers = headersOf(retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    expect(failureOfAnswer(status, headers, body, NOW)).toEqual(failure);
  });

  it.each([[undefined], [null], ['<html>'], [{}], [{ error: null }], [{ error: { code: 7 } }], [[]]])(
    'whose body is %j is told by its status alone',
    (odd) => {
      expect(failureOfAnswer(400, headersOf(), odd, NOW)).toMatchObject({
        kind: 'rejected',
        code: 'no code',
      });
    },
  );

  it('of any status from 300 on is a failure', () => {
    for (let status = 300; status < 600; status++) {
      expect(failureOfAnswer(status, headersOf(), undefined, NOW).kind).toBeTypeOf('string');
    }
  });

  it('cannot put line breaks, control characters or endless text into logs and records', () => {
    const hostile = {
      error: { code: 'x'.repeat(5000), message: `two\nlines\u0000\u001b[31m${'y'.repeat(5000)}` },
    };
    const text = describeFailure(failureOfAnswer(400, headersOf(), hostile, NOW));
    expect(text).not.toMatch(/\p{Cc}/u);
    expect(text.length).toBeLessThan(500);
  });
});

describe('a throttled answer', () => {
  const mailbox = {
    code: 'ApplicationThrottled',
    message: 'Application is over its MailboxConcurrency limit.',
  };
  const app = 'Tenant_Application/ReadWrite/b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7/5d0f2c1e-7a44-4b0e';

  it.each([
    ['that says nothing of it', undefined, { code: 'TooManyRequests', message: 'Retry later.' }, 'request'],
    ["of a mailbox's concurrency, despite its code", undefined, mailbox, 'request'],
    [
      'by the code of the app',
      undefined,
      { code: 'ApplicationThrottled', message: 'Over its limit.' },
      'app',
    ],
    ['by the code of the tenant', undefined, { code: 'tenantThrottled', message: 'Over its limit.' }, 'app'],
    ['whose header names app and tenant', app, { code: 'TooManyRequests', message: '' }, 'app'],
    ['whose header names the tenant', 'Tenant/Read/x/y', undefined, 'app'],
    ['whose header names the app', 'application', undefined, 'app'],
    ['whose header names something else', 'User/ReadWrite/x/y', undefined, 'request'],
    ['whose header is odd', 'Tenants of the house', undefined, 'request'],
  ])('%s tells whom it is of', (_name, scope, error, expected) => {
    const headers = headersOf(scope === undefined ? {} : { 'x-ms-throttle-scope': scope });
    for (const status of [429, 503]) {
      const retryAfter = (name: string) => (name === 'retry-after' ? '1' : headers(name));
      expect(failureOfAnswer(status, retryAfter, { error }, NOW)).toMatchObject({ scope: expected });
    }
  });
});

describe('a GraphError', () => {
  it('carries the failure and describes it in one line', () => {
    const error = new GraphError({ kind: 'throttled', retryAfterMs: 2128, scope: 'request' });
    expect(error).toMatchObject({ name: 'GraphError', message: 'throttled, retry after 2128 ms' });
    expect(new GraphError({ kind: 'throttled', retryAfterMs: undefined, scope: 'app' }).message).toBe(
      'throttled, the whole app',
    );
    expect(new GraphError({ kind: 'notFound' }).message).toBe('notFound');
  });
});
