import { describe, expect, it } from 'vitest';
import { runClosedLoop } from '../load/closed-loop.ts';
import { runOpenLoop } from '../load/open-loop.ts';

const never = new AbortController().signal;
const now = () => performance.now();

describe('an open loop', () => {
  it('keeps sending while the first answer is held back, and counts its latency from the time it was due', async () => {
    const held = Promise.withResolvers<number>();
    const sent: number[] = [];
    const send = (index: number) => {
      sent.push(index);
      if (index === 9) held.resolve(202);
      return index === 0 ? held.promise : Promise.resolve(202);
    };
    const { answers } = await runOpenLoop({ ratePerSecond: 500, seconds: 0.02 }, send, now, never);
    expect(sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(answers.accepted).toBe(10);
    // Request 9 was due 18 ms after request 0.
    expect(Math.max(...answers.latenciesMs)).toBeGreaterThanOrEqual(18);
  });

  it('tells apart what was not accepted', async () => {
    const send = async (index: number) => [202, 503, 0, 503][index] as number;
    const { answers } = await runOpenLoop({ ratePerSecond: 1000, seconds: 0.004 }, send, now, never);
    expect(answers.accepted).toBe(1);
    expect(answers.notAccepted).toBe(3);
    expect(Object.fromEntries(answers.others)).toEqual({ 0: 1, 503: 2 });
  });

  it('sends nothing once interrupted', async () => {
    const sent: number[] = [];
    const send = async (index: number) => sent.push(index);
    await runOpenLoop({ ratePerSecond: 1000, seconds: 10 }, send, now, AbortSignal.abort());
    expect(sent).toEqual([]);
  });
});

describe('a closed loop', () => {
  it('has as many requests under way as there are clients, and numbers them without a gap', async () => {
    let underWay = 0;
    let most = 0;
    const sent: number[] = [];
    const send = async (index: number) => {
      sent.push(index);
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return 202;
    };
    const { answers } = await runClosedLoop({ clients: 3, requests: 10, firstIndex: 5 }, send, now, never);
    expect(most).toBe(3);
    expect(sent.toSorted((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(answers.accepted).toBe(10);
  });

  it('ends when the time is over', async () => {
    let atMs = 0;
    const send = async () => {
      atMs += 300;
      return 202;
    };
    const { answers, elapsedMs } = await runClosedLoop({ clients: 1, seconds: 1 }, send, () => atMs, never);
    expect(answers.accepted).toBe(4);
    expect(elapsedMs).toBe(1200);
  });
});
