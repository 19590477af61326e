import { describe, expect, it } from 'vitest';
import { replyToHandshake } from '../src/validation-handshake.ts';

describe('replyToHandshake', () => {
  it.each([
    'Validation: Testing client application reachability for subscription Request-Id: 5b1f',
    'a',
    ' ',
    '+%20&=',
    '<script>alert(1)</script>',
    '{"a":1}',
    'ü 漢 😀',
  ])('gives the token back as it is: %j', (token) => {
    expect(replyToHandshake(token)).toEqual({ ok: true, token });
  });

  it('gives a token of 2048 characters back', () => {
    const token = 'x'.repeat(2048);
    expect(replyToHandshake(token)).toEqual({ ok: true, token });
  });

  it.each([
    ['empty', '', 'token-empty'],
    ['longer than 2048 characters', 'x'.repeat(2049), 'token-too-long'],
    ['a megabyte', 'x'.repeat(1_048_576), 'token-too-long'],
    ['with a line break', 'a\r\nSet-Cookie: a=b', 'token-not-text'],
    ['with a tab', 'a\tb', 'token-not-text'],
    ['with a null', 'a\0b', 'token-not-text'],
    ['with a DEL', 'a\u007f', 'token-not-text'],
    ['with a C1 control', 'a\u0085b', 'token-not-text'],
    ['with a lone surrogate', 'a\ud800', 'token-not-text'],
    ['given twice', ['a', 'b'], 'token-repeated'],
    ['given as an object', { a: 'b' }, 'token-repeated'],
    ['a number', 1, 'token-repeated'],
    ['null', null, 'token-repeated'],
  ])('refuses a token that is %s', (_what, token, code) => {
    expect(replyToHandshake(token)).toEqual({ ok: false, code });
  });
});
