import { describe, expect, it } from 'vitest';
import { megabytes, short, times } from '../report/numbers.ts';
import { renderTable } from '../report/text-table.ts';

describe('a table', () => {
  it('leans names left and numbers right', () => {
    const table = renderTable(
      ['', 'p99 ms'],
      [
        ['as usual', '8.0'],
        ['x', '1234'],
      ],
    );
    expect(table.split('\n')).toEqual(['          p99 ms', 'as usual     8.0', 'x           1234']);
  });
});

describe('a number', () => {
  it('has as many digits as mean something', () => {
    expect([0, 0.123, 1.234, 12.34, 1234.5].map(short)).toEqual(['0', '0.12', '1.2', '12', '1235']);
    expect(times(1.5)).toBe('1.50 ×');
    expect(megabytes(3 * 1024 ** 2)).toBe('3');
  });

  it('is a dash where nothing was measured', () => {
    expect([short(undefined), short(Number.NaN), times(undefined), megabytes(undefined)]).toEqual([
      '–',
      '–',
      '–',
      '–',
    ]);
  });
});
