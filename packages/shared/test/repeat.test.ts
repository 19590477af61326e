/** What is done again and again. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { repeat } from '../src/repeat.ts';

function repeated(act: () => Promise<void>) {
  const timer = repeat(1, act);
  onTestFinished(() => timer.close());
  return timer;
}

/** Long enough for whatever is repeated at the same pace to be due several times. */
async function severalTurns(): Promise<void> {
  let turns = 0;
  repeated(async () => void turns++);
  await eventually(() => turns >= 5);
}

describe('what is repeated', () => {
  it('never begins before the last one has ended', async () => {
    const ends: (() => void)[] = [];
    repeated(() => new Promise((resolve) => ends.push(resolve)));
    await eventually(() => ends.length === 1);
    await severalTurns();
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await eventually(() => ends.length === 2);
  });

  it('is not begun again once closed, twice and in the midst of it too', async () => {
    const ends: (() => void)[] = [];
    const timer = repeated(() => new Promise((resolve) => ends.push(resolve)));
    await eventually(() => ends.length === 1);
    timer.close();
    timer.close();
    ends[0]?.();
    await severalTurns();
    expect(ends).toHaveLength(1);
  });
});
