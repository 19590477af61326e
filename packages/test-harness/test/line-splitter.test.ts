import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineSplitter } from '../src/line-splitter.ts';

function linesOf(chunks: readonly string[], separator?: string): string[] {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line), separator);
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

it('finds the same lines however the text is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.constantFrom('a', 'é', '\n', '\u2028'), { maxLength: 6 })), (chunks) => {
      const texts = chunks.map((characters) => characters.join(''));
      const expected = texts.join('').split('\n');
      if (expected.at(-1) === '') expected.pop();
      expect(linesOf(texts)).toEqual(expected);
    }),
  );
});

it('takes another separator, of which a line may hold a line break', () => {
  expect(linesOf(['a\nb\x1e', 'c'], '\x1e')).toEqual(['a\nb', 'c']);
});
