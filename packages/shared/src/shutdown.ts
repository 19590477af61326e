/**
 * Ordered end of a service: what was opened last is closed first, within a deadline, and asking twice is safe.
 *
 * Contract of every closer: it may be called while its part is still starting; it resolves when nothing of the
 * part is left; a failure is reported and does not keep the others from closing.
 */
import type { Logger } from './logger.ts';

export type Closer = {
  readonly name: string;
  /** `reason` is what ends the service: a signal's name, or what has failed. */
  readonly close: (reason: string) => Promise<unknown> | unknown;
};

export type Shutdown = {
  /** From the first call of `run` on. */
  readonly isRunning: boolean;
  /** To be closed before everything added earlier; at once where the end is over already. */
  add(name: string, close: Closer['close']): void;
  /** Closes all; resolves to the names that failed or did not end in time. */
  run(reason: string): Promise<readonly string[]>;
};

export function createShutdown(log: Logger, graceMs: number): Shutdown {
  const closers: Closer[] = [];
  let running: Promise<readonly string[]> | undefined;
  let ended = false;
  let why = '';
  return {
    get isRunning() {
      return running !== undefined;
    },
    add(name, close) {
      if (ended) void closePart({ name, close }, why, graceMs, log);
      else closers.push({ name, close });
    },
    run(reason) {
      if (running === undefined) why = reason;
      running ??= closeAll(closers, reason, log, graceMs).finally(() => {
        ended = true;
      });
      return running;
    },
  };
}

/** Empties `closers` from its end: a part that was still starting may be added to it meanwhile. */
async function closeAll(closers: Closer[], reason: string, log: Logger, graceMs: number) {
  const startedAt = performance.now();
  log.info({ reason, grace_ms: graceMs }, 'service.stopping');
  const unclosed: string[] = [];
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
    const leftMs = Math.max(0, graceMs - (performance.now() - startedAt));
    if (!(await closePart(closer, reason, leftMs, log))) unclosed.push(closer.name);
  }
  log.info({ unclosed, duration_ms: Math.round(performance.now() - startedAt) }, 'service.stopped');
  return unclosed;
}

async function closePart({ name, close }: Closer, reason: string, ms: number, log: Logger): Promise<boolean> {
  const problem = await closeWithin(() => close(reason), ms);
  if (problem !== undefined) log.error({ part: name, err: problem }, 'service.part-not-closed');
  return problem === undefined;
}

async function closeWithin(close: () => unknown, ms: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`not closed within ${Math.round(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([
      Promise.resolve()
        .then(close)
        .then(() => undefined),
      late,
    ]);
  } catch (error) {
    return error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a service until SIGTERM or SIGINT, or until `fail` is told of something that it cannot live with: closes
 * everything, then lets the process end by itself. Only what is stuck is cut off, after the deadline.
 */
export function untilSignal(shutdown: Shutdown, log: Logger): { fail(reason: string, error: unknown): void } {
  const end = async (reason: string, code: number) => {
    process.exitCode ??= code;
    const unclosed = await shutdown.run(reason);
    if (unclosed.length > 0) process.exitCode = 1;
    // Whatever still holds the event loop was given its time: 500 ms to flush the log, then the process ends.
    setTimeout(() => process.exit(), 500).unref();
  };
  const fail = (reason: string, error: unknown) => {
    log.fatal({ err: error, reason }, 'service.failed');
    void end(reason, 1);
  };
  process.on('SIGTERM', () => void end('SIGTERM', 0));
  process.on('SIGINT', () => void end('SIGINT', 0));
  process.on('uncaughtException', (error) => fail('uncaughtException', error));
  process.on('unhandledRejection', (error) => fail('unhandledRejection', error));
  return { fail };
}
