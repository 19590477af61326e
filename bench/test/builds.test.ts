import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { applyPatch, BUILDS, type Patch } from '../builds/builds.ts';

const ROOT = new URL('../../', import.meta.url);
const named = Object.entries(BUILDS) as [string, readonly Patch[]][];

describe('a build without a step', () => {
  it.each(named)('finds the place that it changes: %s', async (_name, patches) => {
    for (const patch of patches) {
      const source = await readFile(new URL(patch.file, ROOT), 'utf8');
      expect(applyPatch(source, patch)).not.toBe(source);
    }
  });

  it('is refused when its place is gone or not the only one', () => {
    const patch = { file: 'some.ts', find: 'step();', replace: '' };
    expect(applyPatch('before(); step(); after();', patch)).toBe('before();  after();');
    expect(() => applyPatch('before();', patch)).toThrow('0 times');
    expect(() => applyPatch('step(); step();', patch)).toThrow('2 times');
  });
});
