/** Many requests for the same thing within a moment. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { coalesceRequests } from '../../src/subscriptions/coalesce-requests.ts';
import { keptLog } from '../support/silent-log.ts';

function setup(send: () => Promise<void> = async () => undefined) {
  const log = keptLog();
  let sent = 0;
  const requests = coalesceRequests(
    () => {
      sent++;
      return send();
    },
    50,
    log,
  );
  onTestFinished(() => requests.close());
  return { requests, log, sent: () => sent };
}

describe('requests that are coalesced', () => {
  it('are two for 10,000 at once: the first, and one after the others', async () => {
    const { requests, sent } = setup();
    for (let i = 0; i < 10_000; i++) await requests.request();
    expect(sent()).toBeLessThan(10);
    const before = sent();
    await requests.request();
    await eventually(() => expect(sent()).toBeGreaterThan(before));
  });

  it('reject where the one of their own fails, and log where the common one does', async () => {
    const { requests, log } = setup(() => Promise.reject(new Error('Redis is away')));
    await expect(requests.request()).rejects.toThrow('Redis is away');
    await requests.request();
    await eventually(() => expect(log.lines.join()).toMatch(/subscription\.not-requested/));
  });

  it('are sent no more once it is closed', async () => {
    const [closed, open] = [setup(), setup()];
    for (const { requests } of [closed, open, closed, open]) await requests.request();
    closed.requests.close();
    closed.requests.close();
    await eventually(() => expect(open.sent()).toBe(2));
    expect(closed.sent()).toBe(1);
  });
});
