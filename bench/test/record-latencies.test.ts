import { describe, expect, it } from 'vitest';
import { firstRecordsOf, latenciesOfRecords } from '../measure/record-latencies.ts';

describe('latencies of records', () => {
  const records = [
    { key: 't/users/a/events/1', timestampMs: 1500 },
    { key: 't/users/a/events/1', timestampMs: 1030 },
    { key: null, timestampMs: 1 },
  ];

  it('end with the first record of the resource, in whatever order records are read', () => {
    const made = [{ resource: 'users/a/events/1', at: 1000 }];
    expect(latenciesOfRecords(made, firstRecordsOf(records), 't')).toEqual([30]);
  });

  it('are not told where a change has no record', () => {
    const made = [{ resource: 'users/a/events/2', at: 1000 }];
    expect(() => latenciesOfRecords(made, firstRecordsOf(records), 't')).toThrow('users/a/events/2');
  });
});
