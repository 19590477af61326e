/** How far a reconciliation has come, as a bar on a terminal and as a line now and then elsewhere. */

import { span } from '../../listing/times.ts';
import { PACES } from '../../subscriptions/call-pace.ts';
import type { Fleet, Progress } from '../../subscriptions/fleet.ts';
import type { Terminal } from '../terminal.ts';

const LOOK_EVERY_MS = 500;
/** Where lines stay, as in a log. */
const LINE_EVERY_MS = 10_000;

export type Following = {
  /** The same line once; `forMs`: in the place of the progress, which stands still. */
  say(line: string, forMs?: number): void;
  /** A page of a list is asked for, before there is anything to be done; undefined: something is done. */
  list(page: number | undefined): void;
  end(): void;
};

/** `writes`: requests that are planned, for the estimate until the first are done. `now`: the clock of the progress. */
export function followProgress(
  { progress }: Pick<Fleet, 'progress'>,
  { err, status }: Pick<Terminal, 'err' | 'status'>,
  { writes, now }: { readonly writes: number; readonly now: () => number },
): Following {
  let startedAt = now();
  let page: number | undefined;
  let saidAt = 0;
  let isOver = false;
  let lastSaid = '';
  let stillUntil = 0;
  const show = (line: string, force = false) => {
    if (isOver) return;
    if (status) return status(line);
    if (!force && performance.now() - saidAt < LINE_EVERY_MS) return;
    saidAt = performance.now();
    err(line);
  };
  const look = async () => {
    if (performance.now() <= stillUntil) return;
    if (page !== undefined) return show(listLine(page));
    const noted = await progress();
    // What one that was cut off has left tells nothing of this one.
    const own = noted && noted.at >= startedAt ? noted : undefined;
    show(progressLine(own, writes, now() - (own?.at ?? startedAt)));
  };
  const timer = setInterval(() => look().catch(() => undefined), LOOK_EVERY_MS);
  if (writes > 0) show(progressLine(undefined, writes, 0), true);
  return {
    say(line, forMs = 0) {
      stillUntil = performance.now() + forMs;
      if (line !== lastSaid) show(line, true);
      lastSaid = line;
    },
    list(asked) {
      // The changes are estimated from their beginning.
      if (asked !== undefined || page !== undefined) startedAt = now();
      page = asked;
    },
    end() {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      status?.(undefined);
    },
  };
}

/** What a large list is waited for with. */
export function listLine(page: number): string {
  return `asking Graph for its list, page ${page}`;
}

const BAR = 24;

/** `passedMs`: since that progress, or without one since the beginning. Pure. */
export function progressLine(progress: Progress | undefined, writes: number, passedMs: number): string {
  const leftMs = Math.max(0, (progress?.leftMs ?? pacedMs(writes)) - passedMs);
  const [done, left] = [progress?.done ?? 0, progress?.left ?? writes];
  const filled = done + left === 0 ? BAR : Math.floor((done / (done + left)) * BAR);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] ${done} of ${done + left}, about ${span(leftMs)} left`;
}

/** By the pace at which Graph is asked. Pure. */
export function pacedMs(writes: number): number {
  const { intervalMs, burst } = PACES.write;
  return Math.max(0, writes - burst) * intervalMs;
}
