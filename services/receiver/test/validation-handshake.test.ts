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
    expect(replyToHandshake(token)).toEqual({ status: 200, token });
  });

  it('gives a token of 2048 characters back', () => {
    const token = 'x'.repeat(2048);
    expect(replyToHandshake(token)).toEqual({ status: 200, token });
  });

  it.each([
    ['empty', ''],
    ['longer than 2048 characters', 'x'.repeat(2049)],
    ['a megabyte', 'x'.repeat(1_048_576)],
    ['with a line break', 'a\r\nSet-Cookie: a=b'],
    ['with a tab', 'a\tb'],
    ['with a null', 'a\0b'],
    ['with a DEL', 'a\u007f'],
    ['with a C1 control', 'a\u0085b'],
    ['with a lone surrogate', 'a\ud800'],
    ['given twice', ['a', 'b']],
    ['given as an object', { a: 'b' }],
    ['a number', 1],
    ['null', null],
  ])('refuses a token that is %s, and does not repeat it', (_what, token) => {
    const reply = replyToHandshake(token);
    expect(reply).toEqual({ status: 400, reason: expect.stringMatching(/^validationToken /) });
  });
});
