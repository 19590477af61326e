import { describe, expect, it } from 'vitest';
import { orderOfRound, spreadOf } from '../measure/rounds.ts';

describe('rounds', () => {
  it('go there and back', () => {
    expect(orderOfRound(['base', 'variant'], 0)).toEqual(['base', 'variant']);
    expect(orderOfRound(['base', 'variant'], 1)).toEqual(['variant', 'base']);
  });

  it('come to their median and quartiles, whatever their order', () => {
    expect(spreadOf([50, 10, 30, 20, 40])).toEqual({ median: 30, lowerQuartile: 20, upperQuartile: 40 });
    expect(spreadOf([20, 10])).toEqual({ median: 15, lowerQuartile: 12.5, upperQuartile: 17.5 });
    expect(spreadOf([7])).toEqual({ median: 7, lowerQuartile: 7, upperQuartile: 7 });
  });

  it('come to nothing where there was none', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});
