/** Watches over our own answers as Graph does, and says so well before Graph would call the endpoint slow. */
import type { Logger } from '@graph2kafka/shared';
import { type AckCounts, type AckHealth, createAckWindow, judgeAcks, SLOW_MS } from './ack-health.ts';

export type AckGuard = {
  /** One answer, or the end of a wait for one. */
  note(durationMs: number): void;
  counts(): AckCounts;
  health(): AckHealth;
  close(): void;
};

/** Recovery shows by itself, without a further answer. */
const LOOK_EVERY_MS = 10_000;

export function createAckGuard(log: Logger, now: () => number): AckGuard {
  const window = createAckWindow();
  let health: AckHealth = 'good';

  function look(): void {
    const counts = window.counts(now());
    const before = health;
    health = judgeAcks(counts, before);
    if (health !== before) say(log, health, counts);
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    note(durationMs) {
      window.note(now(), durationMs);
      if (durationMs > SLOW_MS) look();
    },
    counts: () => window.counts(now()),
    health: () => health,
    close: () => clearInterval(timer),
  };
}

function say(log: Logger, health: AckHealth, { answers, slow, verySlow }: AckCounts): void {
  const counts = { answers, over_3_s: slow, over_10_s: verySlow };
  switch (health) {
    case 'good':
      log.info(counts, 'acks.recovered');
      return;
    case 'slowing':
      log.warn(counts, 'acks.slowing');
      return;
    case 'endangered':
      log.error(counts, 'acks.endangered');
  }
}
