// Times as Graph writes and reads them.

/** "2026-11-23T12:00:00.1230000Z": Graph writes seven decimals. */
export function graphDateTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '0000Z');
}

const DATE_TIME_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i;

/** Epoch milliseconds of an Edm.DateTimeOffset (an offset is compulsory), or undefined when it is none. */
export function parseDateTimeOffset(text: unknown): number | undefined {
  if (typeof text !== 'string' || !DATE_TIME_OFFSET.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
