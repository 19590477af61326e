/** From changes that each made a resource of its own to the first record of each. Pure. */

export type MadeResource = {
  /** Canonical: "users/{id}/events/{id}". */
  readonly resource: string;
  /** Epoch ms. */
  readonly at: number;
};

/** Key of a record → timestamp of the first one that has it, epoch ms. */
export type FirstRecords = ReadonlyMap<string, number>;

export function firstRecordsOf(
  records: Iterable<{ readonly key: string | null; readonly timestampMs: number }>,
): FirstRecords {
  const first = new Map<string, number>();
  for (const { key, timestampMs } of records) {
    if (key !== null) first.set(key, Math.min(timestampMs, first.get(key) ?? timestampMs));
  }
  return first;
}

/** In the order of `made`. @throws where one has no record, since leaving it out would flatter the result */
export function latenciesOfRecords(
  made: readonly MadeResource[],
  first: FirstRecords,
  tenantId: string,
): number[] {
  return made.map(({ resource, at }) => {
    const recordAt = first.get(`${tenantId}/${resource}`);
    if (recordAt === undefined) throw new Error(`no record of ${resource}`);
    return recordAt - at;
  });
}
