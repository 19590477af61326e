/**
 * When a request really came. A process that stands still (stopped, starved, busy) hears of what arrived meanwhile
 * only afterwards; the time that it stood still is then part of the answer's time, as Graph sees it.
 */

export type Arrival = {
  /** On the clock that was given; of an arrival right after a stall the beginning of that stall, the worst case. */
  readonly startedAt: number;
  leave(): void;
};

export type StallWatch = {
  enter(): Arrival;
  close(): void;
};

const BEAT_MS = 250;
/** Twice what a busy machine makes a timer late by; a tenth of what matters. */
const STALL_MS = 1000;
/** What has waited in the kernel is taken from it within a few turns of the event loop. */
const CATCHING_UP_MS = 250;

/** Counts a stall only while requests are under way: a platform may take the CPU from an idle process (Cloud Run). */
export function createStallWatch(now: () => number): StallWatch {
  let lastBeat = now();
  let underWay = 0;
  let stall: { readonly from: number; readonly until: number } | undefined;

  function beat(): number {
    const at = now();
    if (at - lastBeat > STALL_MS) stall = underWay > 0 ? { from: lastBeat, until: at } : undefined;
    lastBeat = at;
    return at;
  }

  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  return {
    enter() {
      const at = beat();
      underWay++;
      let left = false;
      return {
        startedAt: stall && at - stall.until <= CATCHING_UP_MS ? stall.from : at,
        leave() {
          if (!left) underWay--;
          left = true;
        },
      };
    },
    close: () => clearInterval(timer),
  };
}
