// Graph's own clock, which a fault can make wrong: the time of day differs, waiting does not.
import type { Clock } from './simulator-clock.ts';

export function skewedClock(clock: Clock, skewMs: () => number): Clock {
  return {
    now: () => clock.now() + skewMs(),
    elapsed: () => clock.elapsed(),
    after: (delayMs, action) => clock.after(delayMs, action),
  };
}
