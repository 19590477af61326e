// The tests of docker-compose.yml are worth as much as this reading of Compose's own syntax.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are Compose’s own.
import { describe, expect, it } from 'vitest';
import { interpolate, variablesIn } from './interpolate.ts';

describe('interpolate', () => {
  it.each([
    ['plain', {}, 'plain'],
    ['${A}', { A: '1' }, '1'],
    ['${A}', {}, ''],
    ['<${A-x}>', {}, '<x>'],
    ['<${A-x}>', { A: '' }, '<>'],
    ['<${A:-x}>', { A: '' }, '<x>'],
    ['${A-9090-9099}:9090', {}, '9090-9099:9090'],
    ['<${A:+x}>', { A: '1' }, '<x>'],
    ['<${A:+x}>', { A: '' }, '<>'],
    ['<${A+x}>', { A: '' }, '<x>'],
    ['${A-${B:-${C}}}${D-d}', { C: '3' }, '3d'],
    ['${A:?is needed}', { A: '1' }, '1'],
    ['${A-${B:+${A:?is needed}}x}', {}, 'x'],
  ])('reads %s with %o as "%s"', (text, environment, expected) => {
    expect(interpolate(text, environment)).toBe(expected);
  });

  it('refuses what must be set and is not, but only where it is asked', () => {
    expect(() => interpolate('${A-${B:+${A:?is needed}}x}', { B: '1' })).toThrow('A is needed');
  });

  it('refuses a brace that is not closed', () => {
    expect(() => interpolate('${A-${B}', {})).toThrow('no closing brace');
  });

  it('finds all variables, nested ones too', () => {
    expect(variablesIn('${A-${B:+${C:?text}}} ${D}')).toEqual(['A', 'B', 'C', 'D']);
  });
});
