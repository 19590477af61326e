/** The trace of a POST: the platform's where there is one, else a new one; in the log, and with each notification. */
import { describe, expect, it } from 'vitest';
import { traceId, traceparentOf } from '../src/trace-context.ts';

const FRONT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the trace of a POST', () => {
  it('is the one that a front has begun', () => {
    expect(traceparentOf(FRONT)).toBe(FRONT);
    expect(traceId(FRONT)).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  it.each([
    undefined,
    '',
    FRONT.toUpperCase(),
    `${FRONT}\r\nx: y`,
    FRONT.replace('00-', 'ff-'),
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  ])('is a new one where there is none that could be meant (%j)', (header) => {
    const made = [traceparentOf(header), traceparentOf(header)];
    expect(made[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(new Set(made.map(traceId)).size).toBe(2);
  });
});
