/** Long work, a piece at a time: each piece gets a turn of the event loop in which no other piece is done. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Resolves the promises that it gives out in order, one for each turn. */
export function createTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => nextTurn());
    return last;
  };
}
