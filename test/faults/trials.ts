/** Faults one after the other, each with time to recover from, so that the recovery can be measured. */
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@graph2kafka/test-harness';
import { type FaultReport, suffer } from './fault.ts';
import { FAULTS, type FaultKind, measureRecovery } from './faults.ts';
import { countOrphans } from './leftovers.ts';
import type { Measured } from './recovery.ts';
import type { Scenario } from './scenario.ts';

/** A fault and how long it lasts, in milliseconds. */
export type Trial = readonly [kind: FaultKind, lastsMs: number];

export type Endured = { readonly report: FaultReport; readonly measured: readonly Measured[] };

/** Generous: what is allowed is judged by what was measured. */
const RECOVERED_MS = 30_000;

/** Needs traffic all along. @throws when the product does not come back at all */
export async function endure(scenario: Scenario, trials: readonly Trial[]): Promise<Endured[]> {
  const reports: FaultReport[] = [];
  for (const [kind, lastsMs] of trials) {
    const report = await suffer(kind, FAULTS[kind], scenario, () => pause(lastsMs));
    reports.push(report);
    await recovered(scenario, report);
  }
  return reports.map((report) => ({ report, measured: measureRecovery(scenario, report) }));
}

/**
 * Since its end a notification was acknowledged and a record published, and no job is left whose run it has cut: BullMQ
 * looks for those every now and then, and after an error not for 5 s, so the times would be those of two faults.
 */
async function recovered(scenario: Scenario, { kind, span }: FaultReport): Promise<void> {
  const { simulator, observations, servers, stack } = scenario;
  await eventually(
    async () => {
      const acknowledged = simulator.changeLog.entries.findLast(
        (entry) => entry.kind === 'delivery' && entry.status === 202,
      );
      if (!acknowledged || acknowledged.at <= span.to) throw new Error(`nothing acknowledged after ${kind}`);
      if (!observations.firstAfter('record.published', span.to)) {
        throw new Error(`no record after ${kind}; ${observations.crashes.join('; ')}`);
      }
      const orphans = await countOrphans(servers.redis.port, stack.redisPrefix);
      if (orphans > 0) throw new Error(`${orphans} jobs wait for another run after ${kind}`);
    },
    { timeoutMs: RECOVERED_MS },
  );
}
