import { describe, expect, it } from 'vitest';
import { findCanaries } from './canary-search.ts';

const CANARY = 'canary/secret+of "ours"';

describe('findCanaries', () => {
  it.each([
    ['as it is', CANARY],
    ['in JSON', JSON.stringify({ field: CANARY })],
    ['in a URL', `https://example.com/?q=${encodeURIComponent(CANARY)}`],
    ...['', 'a', 'ab', 'abc'].map((before) => [
      `in base64 behind ${before.length} bytes`,
      Buffer.from(`${before}${CANARY}and more`).toString('base64'),
    ]),
  ])('finds one %s', (_how, text) => {
    expect(findCanaries({ log: `x ${text} y` }, ['another', CANARY])).toMatchObject([
      { canary: CANARY, place: 'log' },
    ]);
  });

  it('finds none where there is none', () => {
    expect(findCanaries({ log: 'canary', page: Buffer.from('canary').toString('base64') }, [CANARY])).toEqual(
      [],
    );
  });
});
