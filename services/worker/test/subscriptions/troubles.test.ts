/** Why a wish is not served, by what Graph says. */
import { describe, expect, it } from 'vitest';
import { failureOfAnswer, GraphError } from '../../src/graph/graph-error.ts';
import { retryAt } from '../../src/subscriptions/renewal-time.ts';
import { type Explained, explainTrouble, isConflict, TROUBLES } from '../../src/subscriptions/troubles.ts';

const NOW = Date.UTC(2026, 10, 23);
const MINUTE = 60_000;

function answered(status: number, code: string, message: string, headers: Record<string, string> = {}) {
  const failure = failureOfAnswer(status, (name) => headers[name] ?? null, { error: { code, message } }, NOW);
  return new GraphError(failure, { said: { code, message } });
}

describe('a call that failed', () => {
  it.each<[string, Partial<Explained>, number, string, string]>([
    ['no answer in time', { reason: 'graph-away', maybeDone: true }, 504, 'GatewayTimeout', ''],
    ['too many calls', { reason: 'throttled' }, 429, 'TooManyRequests', 'Please retry later.'],
    ['no sign-in', { reason: 'sign-in' }, 401, 'InvalidAuthenticationToken', 'Access token has expired.'],
    [
      'no handshake',
      { reason: 'handshake' },
      400,
      'ValidationError',
      'Must respond with 200 OK to this request.',
    ],
    [
      'a slow handshake',
      { reason: 'handshake' },
      400,
      'InvalidRequest',
      'Subscription validation request timed out.',
    ],
    ['no consent', { reason: 'consent' }, 403, 'Authorization_RequestDenied', 'Insufficient privileges.'],
    ['a policy of Exchange', { reason: 'access-policy' }, 403, 'ErrorAccessDenied', 'Access is denied.'],
    [
      'no licence',
      { reason: 'no-mailbox' },
      404,
      'MailboxNotEnabledForRESTAPI',
      'REST API is not yet supported.',
    ],
    [
      'no licence, otherwise',
      { reason: 'no-mailbox' },
      403,
      'MailboxNotEnabledForRESTAPI',
      'inactive, soft-deleted',
    ],
    [
      'no such item',
      { reason: 'not-found' },
      404,
      'ErrorItemNotFound',
      'The specified object was not found.',
    ],
    ['no such user', { reason: 'not-found' }, 404, 'Request_ResourceNotFound', 'Resource does not exist.'],
    ['no such user, otherwise', { reason: 'not-found' }, 400, 'ResourceNotFound', 'User not found'],
    [
      'too long a life',
      { reason: 'too-long', lifeMinutes: 10_070 },
      400,
      'ExtensionError',
      'Subscription expiration can only be 10070 minutes in the future.',
    ],
    [
      'a full mailbox',
      { reason: 'quota', quota: 'mailbox' },
      403,
      'Forbidden',
      'Subscription quota exceeded: a maximum of 1000 active subscriptions per mailbox for all applications is allowed.',
    ],
    [
      'a full tenant',
      { reason: 'quota', quota: 'tenant' },
      403,
      'Forbidden',
      'Subscription quota exceeded: a maximum of 100 subscriptions to users and groups per app and tenant combination is allowed.',
    ],
    [
      'a full organisation',
      { reason: 'quota', quota: 'tenant' },
      403,
      'Forbidden',
      'Maximum number of subscriptions to Teams resources per organization reached.',
    ],
    [
      'a full app',
      { reason: 'quota', quota: 'app' },
      403,
      'Forbidden',
      'Subscription quota exceeded: a maximum of 50000 subscriptions to users and groups per app for all tenants combined is allowed.',
    ],
    ['anything else', { reason: 'refused' }, 400, 'InvalidRequest', 'The resource is not supported.'],
  ])('for %s is explained', (_what, explained, status, code, message) => {
    const found = explainTrouble(answered(status, code, message));
    expect(found).toMatchObject(explained);
    if (explained.maybeDone === undefined) expect(found).not.toHaveProperty('maybeDone');
    expect(TROUBLES).toHaveProperty(found.reason);
    expect(found.detail).toContain(code);
  });

  it('by an error of ours is no riddle either, and tells how long Graph wants to be left alone', () => {
    expect(explainTrouble(new TypeError('x is not a function'))).toEqual({
      reason: 'unforeseen',
      detail: 'x is not a function',
    });
    const throttled = answered(429, 'TooManyRequests', '', { 'retry-after': '2.5' });
    expect(explainTrouble(throttled)).toMatchObject({ retryAfterMs: 2500 });
  });
});

describe('a conflict', () => {
  it.each<[boolean, number, string, string]>([
    [true, 409, 'Conflict', 'Subscription Id <> already exists for the requested combination'],
    [true, 409, 'ExtensionError', 'Operation: Create; Exception: [Status Code: Conflict; Reason: …]'],
    [true, 400, 'ExtensionError', 'Operation: Create; Exception: [Status Code: Conflict; Reason: …]'],
    [false, 400, 'ExtensionError', 'Subscription expiration can only be 10070 minutes in the future.'],
    [false, 403, 'Forbidden', 'already exists'],
  ])('is %s for %i %s: %s', (expected, status, code, message) => {
    expect(isConflict(answered(status, code, message))).toBe(expected);
  });
});

describe('the next try', () => {
  const { handshake } = TROUBLES;

  it('is twice as far away each time, up to a limit, and a share of the wish nearer', () => {
    const waits = [1, 2, 3, 4, 5, 20].map((tries) => (retryAt(NOW, tries, handshake, 'w') - NOW) / MINUTE);
    const share = (waits[0] ?? 0) / 1;
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThanOrEqual(1);
    for (const [nth, minutes] of [1, 2, 4, 8, 10, 10].entries())
      expect(waits[nth]).toBeCloseTo(minutes * share, 3);
    expect(retryAt(NOW, 1, handshake, 'another wish')).not.toBe(retryAt(NOW, 1, handshake, 'w'));
  });

  it('comes while something lives before an eighth of what it has left, but not within 30 seconds', () => {
    expect(retryAt(NOW, 9, TROUBLES.quota, 'w', NOW + 40 * MINUTE)).toBe(NOW + 5 * MINUTE);
    expect(retryAt(NOW, 9, TROUBLES.quota, 'w', NOW + 1)).toBe(NOW + 30_000);
  });
});
