// What a fault makes of a part of a batch: a part has no connection that could break, so that becomes a status.
import { statusError } from './fault-answers.ts';
import type { FaultKind, RequestFault } from './faults.ts';
import type { GraphAnswer, JsonObject, RequestIds } from './graph-exchange.ts';

/** Whatever else a fault breaks of an answer, Graph's gateway would have read it and given up: 502. */
const STATUSES: Partial<Record<FaultKind, number>> = { hang: 504, redirect: 302, early404: 404 };

export function faultyPart(fault: RequestFault, ids: RequestIds, nowMs: number): GraphAnswer {
  const { kind, headers = {} } = fault;
  const status = fault.status ?? (kind === undefined ? 200 : (STATUSES[kind] ?? 502));
  const location = kind === 'redirect' ? { location: 'https://127.0.0.1:9/elsewhere' } : {};
  const given = fault.body as JsonObject | string | undefined;
  const all = { ...location, ...headers };
  if (typeof given === 'string') return { status, headers: all, text: given };
  const body = given ?? (status >= 400 ? statusError(status, ids, nowMs) : undefined);
  return { status, headers: all, ...(body !== undefined && { body }) };
}
