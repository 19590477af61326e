/** All faults by name, and what is measured after each. */
import type { Fault, FaultReport } from './fault.ts';
import { graphFaults } from './faults-graph.ts';
import { kafkaFaults } from './faults-kafka.ts';
import { redisFaults } from './faults-redis.ts';
import { serviceFaults } from './faults-services.ts';
import {
  type Measured,
  measureFirstAcknowledgement,
  measureFirstRecord,
  measureJobRestart,
  measureRefusals,
} from './recovery.ts';
import type { Scenario } from './scenario.ts';

const faultsByKind = { ...redisFaults, ...kafkaFaults, ...graphFaults, ...serviceFaults } satisfies Record<
  string,
  Fault
>;

export type FaultKind = keyof typeof faultsByKind;

export const FAULTS: Readonly<Record<FaultKind, Fault>> = faultsByKind;
export const FAULT_KINDS = Object.keys(faultsByKind) as FaultKind[];

/** After these Redis is as good as away for the receiver, and then back. */
const REDIS_AWAY: ReadonlySet<string> = new Set([
  'redis-killed',
  'redis-frozen',
  'redis-read-only',
  'redis-full',
  'redis-aof-torn',
] satisfies FaultKind[]);
const KAFKA_AWAY: ReadonlySet<string> = new Set([
  'kafka-stopped',
  'kafka-killed',
  'kafka-frozen',
] satisfies FaultKind[]);

/** To be asked when the scenario is quiet; while other peers were hurt as well, the times are not this fault's. */
export function measureRecovery({ simulator, observations }: Scenario, report: FaultReport): Measured[] {
  const { kind, span } = report;
  const deliveries = simulator.changeLog.ofKind('delivery');
  if (REDIS_AWAY.has(kind)) {
    return [
      ...measureRefusals(deliveries, span),
      ...measureFirstAcknowledgement(deliveries, span.to),
      ...measureFirstRecord('workerResumes', observations.logged, span.to),
    ];
  }
  if (KAFKA_AWAY.has(kind)) return measureFirstRecord('firstPublish', observations.logged, span.to);
  return [];
}

/** Of kills that no other strike came close to: the time is theirs. */
export function measureJobRestarts({ observations }: Scenario): Measured[] {
  const { strikes, logged } = observations;
  return strikes.flatMap((strike) => {
    const measured = measureJobRestart(logged, strike);
    const restartedAt = strike.heardAt + (measured[0]?.ms ?? 0);
    const isAlone = !strikes.some(
      (other) => other !== strike && other.heardAt > strike.heardAt - ECHO_MS && other.heardAt < restartedAt,
    );
    return isAlone ? measured : [];
  });
}

/** A process that stands still does so for some seconds. */
const ECHO_MS = 5000;
