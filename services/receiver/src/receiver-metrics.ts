/** What the receiver counts, in Prometheus' form; each receiver has its own counters. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AckGuard } from './ack-guard.ts';
import type { Answered } from './observe-answers.ts';

export type ItemCounts = {
  readonly accepted: number;
  readonly forged: number;
  readonly unreadable: number;
};

export type ReceiverMetrics = {
  readonly registry: Registry;
  countArrival(): void;
  countAnswer(answered: Answered): void;
  countItems(counts: ItemCounts): void;
};

export type MetricsSources = {
  readonly acks: AckGuard;
  /** Why nothing may be accepted now. */
  readonly refusal: () => string | undefined;
};

export function createReceiverMetrics({ acks, refusal }: MetricsSources): ReceiverMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const answers = new Counter({
    name: 'g2k_receiver_answers_total',
    help: 'Answers to notification requests and handshakes, by status and reason',
    labelNames: ['status', 'reason'],
    registers,
  });
  const durations = new Histogram({
    name: 'g2k_receiver_answer_seconds',
    help: 'Time from the headers of such a request to the end of its answer',
    // 2 s is our own deadline, 3 and 10 s are what Graph judges by.
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10],
    registers,
  });
  const inFlight = new Gauge({
    name: 'g2k_receiver_requests_in_flight',
    help: 'Such requests that are not yet answered',
    registers,
  });
  const items = new Counter({
    name: 'g2k_receiver_items_total',
    help: 'Notifications in bodies that were read, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge(
    'g2k_receiver_refusing',
    '1 while nothing is accepted, since Redis is away, not durable or full',
    () => (refusal() === undefined ? 0 : 1),
  );
  gauge('g2k_receiver_acks_10m', 'Answers of the last 10 minutes', () => acks.counts().answers);
  gauge(
    'g2k_receiver_acks_over_3s_10m',
    'Of these, those that took longer than 3 s',
    () => acks.counts().slow,
  );
  gauge(
    'g2k_receiver_acks_over_10s_10m',
    'Of these, those that took longer than 10 s',
    () => acks.counts().verySlow,
  );
  return {
    registry,
    countArrival: () => inFlight.inc(),
    countAnswer({ status, reason, durationMs }) {
      inFlight.dec();
      answers.inc({ status: status ?? 'none', reason: reason ?? '' });
      durations.observe(durationMs / 1000);
    },
    countItems({ accepted, forged, unreadable }) {
      items.inc({ outcome: 'accepted' }, accepted - unreadable);
      items.inc({ outcome: 'unreadable' }, unreadable);
      items.inc({ outcome: 'forged' }, forged);
    },
  };
}
