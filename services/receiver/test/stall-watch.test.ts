import { describe, expect, it, onTestFinished } from 'vitest';
import { createStallWatch } from '../src/stall-watch.ts';

/** A watch on a clock that the test moves; its own timer does not fire, as nothing awaits. */
function watchAt(start: number) {
  let at = start;
  const watch = createStallWatch(() => at);
  onTestFinished(() => watch.close());
  return {
    enterAt(time: number) {
      at = time;
      return watch.enter();
    },
  };
}

describe('an arrival', () => {
  it('begins when it is heard of, where all is well', () => {
    const { enterAt } = watchAt(0);
    enterAt(200);
    expect(enterAt(900).startedAt).toBe(900);
  });

  it('begins with the stall that it is heard of after, and so do the others that waited', () => {
    const { enterAt } = watchAt(0);
    enterAt(200);
    expect([4000, 4001, 4250, 4251].map((time) => enterAt(time).startedAt)).toEqual([200, 200, 200, 4251]);
  });

  it('begins when it is heard of, where nobody waited when the process fell asleep', () => {
    const { enterAt } = watchAt(0);
    enterAt(200).leave();
    expect([4000, 4001].map((time) => enterAt(time).startedAt)).toEqual([4000, 4001]);
  });

  it('that leaves twice is counted once', () => {
    const { enterAt } = watchAt(0);
    const first = enterAt(200);
    enterAt(300);
    first.leave();
    first.leave();
    expect(enterAt(4000).startedAt).toBe(300);
  });
});
