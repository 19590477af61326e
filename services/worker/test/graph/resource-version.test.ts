/** Which of a resource's properties is its version. */
import { describe, expect, it } from 'vitest';
import { versionOf } from '../../src/graph/resource-version.ts';

describe('the version of a resource', () => {
  it.each<[string, Record<string, unknown>, string | undefined]>([
    [
      'is its @odata.etag before all others',
      { etag: '4', eTag: '3', changeKey: '2', '@odata.etag': '1' },
      '1',
    ],
    ['is the changeKey of an item of a mailbox', { etag: '4', eTag: '3', changeKey: '2' }, '2'],
    ['is the eTag of a drive item, not its cTag', { cTag: '"c:{7},1"', eTag: '"{7},2"' }, '"{7},2"'],
    ['is the etag of a chat message', { id: '1616990032035', etag: '1616990032035' }, '1616990032035'],
    ['is none where there is neither', { id: 'x' }, undefined],
    ['is the next one where one is empty or no text', { '@odata.etag': '', changeKey: 7, eTag: '3' }, '3'],
  ])('%s', (_name, data, version) => {
    expect(versionOf(data)).toBe(version);
  });
});
