import { describe, expect, it } from 'vitest';
import type { LoggedLine, ObservedStrike } from './observations.ts';
import {
  describeLateness,
  measureFirstAcknowledgement,
  measureFirstRecord,
  measureJobRestart,
  measureRefusals,
} from './recovery.ts';

const record = (at: number, key = 'tenant/users/a/events/1'): LoggedLine => ({
  at,
  service: 'worker 1',
  name: 'record.published',
  fields: { key },
});

describe('the time to recover', () => {
  it('of an answer is its own, and what Graph waited where none came', () => {
    const deliveries = [
      { at: 900, answeredAt: 905, status: 202 },
      { at: 1000, answeredAt: 2600, status: 503 },
      { at: 1100, answeredAt: null, status: null, error: 'timeout' },
      { at: 1200, answeredAt: null, status: null, error: 'ECONNREFUSED' },
      { at: 2001, answeredAt: 2005, status: 202 },
    ];
    expect(measureRefusals(deliveries, { from: 1000, to: 2000 }).map(({ ms }) => ms)).toEqual([1600, 3000]);
  });

  it('to the first acknowledgement counts from the end of the fault', () => {
    const deliveries = [
      { at: 1990, answeredAt: 2040, status: 202 },
      { at: 2010, answeredAt: 2020, status: 503 },
      { at: 1000, answeredAt: 1010, status: 202 },
    ];
    expect(measureFirstAcknowledgement(deliveries, 2000)).toEqual([
      { quantity: 'firstAcknowledgement', ms: 40 },
    ]);
    expect(measureFirstAcknowledgement(deliveries, 3000)).toEqual([]);
  });

  it('to the first record does not count one from before', () => {
    expect(measureFirstRecord('firstPublish', [record(1900), record(2300)], 2000)).toEqual([
      { quantity: 'firstPublish', ms: 300 },
    ]);
  });

  it('of a killed run ends with a record of the same owner', () => {
    const strike: ObservedStrike = {
      struck: 'kill',
      stage: 'after-fetch',
      at: 'users/a/events/1',
      pid: 1,
      heardAt: 1000,
      service: 'worker 1',
    };
    const lines = [record(1500, 'tenant/users/b/events/9'), record(4000, 'tenant/users/a/events/2')];
    expect(measureJobRestart(lines, strike)).toEqual([{ quantity: 'jobRestarts', ms: 3000 }]);
    expect(measureJobRestart(lines, { ...strike, struck: 'stop' })).toEqual([]);
  });

  it('is late beyond what is promised, and not at it', () => {
    expect(describeLateness([{ quantity: 'firstPublish', ms: 3000 }])).toEqual([]);
    expect(describeLateness([{ quantity: 'firstPublish', ms: 3001 }])).toEqual([
      'firstPublish: 3001 ms, allowed are 3000 ms',
    ]);
  });
});
