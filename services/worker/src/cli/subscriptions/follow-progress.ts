/** How far a reconciliation has come, as a bar on a terminal and as a line now and then elsewhere. */
import { PACES } from '../../subscriptions/call-pace.ts';
import type { Fleet, Progress } from '../../subscriptions/fleet.ts';
import type { Terminal } from '../terminal.ts';
import { span } from './times.ts';

const LOOK_EVERY_MS = 500;
/** Where lines stay, as in a log. */
const LINE_EVERY_MS = 10_000;

export type Following = {
  /** The same line once; `forMs`: in the place of the progress, which stands still. */
  say(line: string, forMs?: number): void;
  end(): void;
};

/** `writes`: requests that are planned, for the estimate until the first are done. */
export function followProgress(
  { progress }: Pick<Fleet, 'progress'>,
  { err, status }: Terminal,
  { writes, now }: { readonly writes: number; readonly now: () => number },
): Following {
  const startedAt = now();
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
  const look = async () =>
    performance.now() > stillUntil && show(progressLine(await progress(), writes, now() - startedAt));
  const timer = setInterval(() => look().catch(() => undefined), LOOK_EVERY_MS);
  if (writes > 0) show(progressLine(undefined, writes, 0), true);
  return {
    say(line, forMs = 0) {
      stillUntil = performance.now() + forMs;
      if (line !== lastSaid) show(line, true);
      lastSaid = line;
    },
    end() {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      status?.(undefined);
    },
  };
}

const BAR = 24;

/** `passedMs`: since the beginning. Pure. */
export function progressLine(progress: Progress | undefined, writes: number, passedMs: number): string {
  const leftMs = progress?.leftMs ?? Math.max(0, pacedMs(writes) - passedMs);
  const [done, left] = [progress?.done ?? 0, progress?.left ?? writes];
  const filled = done + left === 0 ? BAR : Math.floor((done / (done + left)) * BAR);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] ${done} of ${done + left}, about ${span(leftMs)} left`;
}

/** By the pace at which Graph is asked. Pure. */
export function pacedMs(writes: number): number {
  const { intervalMs, burst } = PACES.write;
  return Math.max(0, writes - burst) * intervalMs;
}
