/** When two wanted subscriptions are one for Graph. */
import { describe, expect, it } from 'vitest';
import { sameResource } from '../../src/subscriptions/wanted-subscriptions.ts';

const ADA = '0a0a0a0a-1111-4222-8333-444444444444';
const BOB = '0b0b0b0b-1111-4222-8333-444444444444';

describe('the same resource', () => {
  it('is the same in every spelling, and another one with another id', () => {
    expect(sameResource(`users/${ADA}/events`, `/Users('${ADA.toUpperCase()}')/Events`)).toBe(true);
    expect(sameResource(`users/${ADA}/events`, `users/${BOB}/events`)).toBe(false);
  });

  it('is compared as text where it cannot be parsed', () => {
    expect(sameResource('me/events?$filter=x', 'me/events?$filter=x')).toBe(true);
    expect(sameResource('me/events?$filter=x', 'me/events?$filter=y')).toBe(false);
  });
});
