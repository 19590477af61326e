/** From the simulator's log of deliveries: how soon each was accepted after its change was due. Pure. */
import type { ChangeLogEntry } from '@graph2kafka/graph-simulator';

/** `resource version` → when the change was due by the schedule. */
export type DueTimes = Map<string, number>;

export type DeliveryLatencies = {
  /** One for each delivery that was answered 202, redelivery included: then the wait for it counts as well. */
  readonly acceptedMs: readonly number[];
  /** Attempts that were answered otherwise, or not in time. */
  readonly notAccepted: number;
};

export function changeName({ resource, version }: { resource: string; version: number }): string {
  return `${resource} ${version}`;
}

export function latenciesOfDeliveries(
  entries: readonly ChangeLogEntry[],
  dueAt: DueTimes,
): DeliveryLatencies {
  const acceptedMs: number[] = [];
  let notAccepted = 0;
  for (const entry of entries) {
    if (entry.kind !== 'delivery') continue;
    const due = dueAt.get(changeName(entry));
    if (due === undefined) continue;
    if (entry.status === 202 && entry.answeredAt !== null) acceptedMs.push(entry.answeredAt - due);
    else notAccepted++;
  }
  return { acceptedMs, notAccepted };
}
