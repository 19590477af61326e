import { describe, expect, it } from 'vitest';
import { changeName, latenciesOfDeliveries } from '../measure/delivery-latencies.ts';
import { withoutEarlierWishes } from '../measure/measured-part.ts';

const item = {
  subscriptionId: 's',
  resource: 'users/u/events/e',
  changeType: 'updated',
  version: 2,
  etag: 'W/"2"',
  tenantId: 't',
} as const;
const delivery = { kind: 'delivery', attempt: 1, ...item } as const;

describe('latencies of deliveries', () => {
  const due = new Map([[changeName(item), 1000]]);

  it('count from the time at which the change was due', () => {
    const entries = [{ ...delivery, at: 1010, answeredAt: 1025, status: 202 }];
    expect(latenciesOfDeliveries(entries, due)).toEqual({ acceptedMs: [25], notAccepted: 0 });
  });

  it('include the wait for redelivery', () => {
    const entries = [
      { ...delivery, at: 1010, answeredAt: 1020, status: 503 },
      { ...delivery, at: 1500, answeredAt: null, status: null },
      { ...delivery, at: 2500, answeredAt: 2600, status: 202 },
    ];
    expect(latenciesOfDeliveries(entries, due)).toEqual({ acceptedMs: [1600], notAccepted: 2 });
  });

  it('leave out changes that were not on the schedule', () => {
    const entries = [{ ...delivery, version: 1, at: 900, answeredAt: 990, status: 202 }];
    expect(latenciesOfDeliveries(entries, due)).toEqual({ acceptedMs: [], notAccepted: 0 });
  });
});

describe('the measured part of a change log', () => {
  it('keeps the versions of earlier changes and drops the wish for them', () => {
    const change = { kind: 'change', at: 999, version: 1, subscribed: true };
    const lines = [change, { ...change, at: 1000 }, { kind: 'delivery', at: 999 }].map((line) =>
      JSON.stringify(line),
    );
    const kept = withoutEarlierWishes(lines, 1000);
    expect(JSON.parse(kept[0] ?? '')).toEqual({ ...change, subscribed: false });
    expect(kept.slice(1)).toEqual(lines.slice(1));
  });
});
