/** How soon the product is itself again after a fault, from what Graph's log and the services' lines say. Pure. */
import type { Span } from './fault.ts';
import type { LoggedLine, ObservedStrike } from './observations.ts';

/** An attempt to deliver, as simulated Graph has logged it; times are epoch milliseconds. */
export type Delivery = {
  readonly at: number;
  readonly answeredAt: number | null;
  readonly status: number | null;
  readonly error?: string;
};

/** What is measured, with the longest that is allowed. */
export const LIMITS_MS = {
  /** Any answer, a 503 as a rule, while Redis is away: Graph waits 3 s, and then takes us for slow. */
  refusal: 2000,
  firstAcknowledgement: 2000,
  /** The first record after Redis is back. */
  workerResumes: 2000,
  /** The first record of the owner whose run was killed. */
  jobRestarts: 15_000,
  /** The first record after the broker is back. */
  firstPublish: 3000,
} as const;

export type Quantity = keyof typeof LIMITS_MS;
export type Measured = { readonly quantity: Quantity; readonly ms: number };

/** Every answer to what was sent in the time, whatever it was; a timeout of Graph's counts as what it waited. */
export function measureRefusals(deliveries: readonly Delivery[], { from, to }: Span): Measured[] {
  return deliveries
    .filter(({ at, status, error }) => at >= from && at <= to && (status !== null || error === 'timeout'))
    .map(({ at, answeredAt }) => ({ quantity: 'refusal', ms: (answeredAt ?? at + GRAPH_GIVES_UP_MS) - at }));
}

/** Graph page "Receive change notifications through webhooks": the first attempt is given up after 3 s. */
const GRAPH_GIVES_UP_MS = 3000;

/** From then on; nothing where no acknowledgement followed. */
export function measureFirstAcknowledgement(deliveries: readonly Delivery[], since: number): Measured[] {
  const answered = deliveries
    .filter(({ status, answeredAt }) => status === 202 && answeredAt !== null && answeredAt >= since)
    .map(({ answeredAt }) => Number(answeredAt));
  return answered.length === 0
    ? []
    : [{ quantity: 'firstAcknowledgement', ms: Math.min(...answered) - since }];
}

export function measureFirstRecord(
  quantity: 'workerResumes' | 'firstPublish',
  lines: readonly LoggedLine[],
  since: number,
): Measured[] {
  const first = lines.find(({ name, at }) => name === 'record.published' && at >= since);
  return first ? [{ quantity, ms: first.at - since }] : [];
}

/** From the kill of a run to the next record of its owner, by whichever worker. */
export function measureJobRestart(lines: readonly LoggedLine[], strike: ObservedStrike): Measured[] {
  const owner = ownerOf(strike.at);
  if (strike.struck !== 'kill' || owner === undefined) return [];
  const first = lines.find(
    ({ name, at, fields }) =>
      name === 'record.published' && at > strike.heardAt && String(fields.key).includes(owner),
  );
  return first ? [{ quantity: 'jobRestarts', ms: first.at - strike.heardAt }] : [];
}

/** `users/{id}` of an owner or resource. */
function ownerOf(at: string): string | undefined {
  return /users\/[^/]+/.exec(at)?.[0];
}

/** `refusal 12 times, longest 1510 ms` for each quantity. */
export function describeRecovery(measured: readonly Measured[]): string {
  const byQuantity = Map.groupBy(measured, ({ quantity }) => quantity);
  return [...byQuantity]
    .map(([quantity, all]) => {
      const longestMs = Math.round(Math.max(...all.map(({ ms }) => ms)));
      return `${quantity} ${all.length} times, longest ${longestMs} ms`;
    })
    .join('; ');
}

/** What took longer than allowed, in words; `patience` times as long where the machine has other work as well. */
export function describeLateness(measured: readonly Measured[], patience = 1): string[] {
  return measured
    .filter(({ quantity, ms }) => ms > LIMITS_MS[quantity] * patience)
    .map(({ quantity, ms }) => `${quantity}: ${Math.round(ms)} ms, allowed are ${LIMITS_MS[quantity]} ms`);
}
