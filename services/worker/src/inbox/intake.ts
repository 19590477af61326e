/**
 * Stops taking jobs while Kafka is away: fetching what cannot be published would spend Graph's limits for nothing.
 * Its return is watched, so that work goes on within a second or two.
 */
import type { Logger } from '@graph2kafka/shared';
import type { Worker } from 'bullmq';

export type Intake = {
  /** Pauses until `probe` succeeds; does nothing while it is paused already. */
  pause(reason: string): void;
  readonly paused: boolean;
  close(): void;
};

const PROBE_EVERY_MS = 500;

export function createIntake(worker: Worker, probe: () => Promise<void>, log: Logger): Intake {
  let paused = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const probeAgain = async () => {
    try {
      await probe();
    } catch {
      if (!closed) timer = setTimeout(probeAgain, PROBE_EVERY_MS);
      return;
    }
    if (closed) return;
    paused = false;
    worker.resume();
    log.info('intake.resumed');
  };

  return {
    pause(reason) {
      if (paused || closed) return;
      paused = true;
      log.warn({ reason }, 'intake.paused');
      // Runs under way end by themselves; nothing has to be waited for.
      void worker.pause(true).then(() => {
        if (!closed) timer = setTimeout(probeAgain, PROBE_EVERY_MS);
      });
    },
    get paused() {
      return paused;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
