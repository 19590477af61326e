import { describe, expect, it } from 'vitest';
import { SimulatorClock } from '../src/simulator-clock.ts';
import { startWebhookApp } from './webhook-app.ts';

const HOUR_MS = 3_600_000;

describe('the clock of a simulator', () => {
  it('goes on with real time, from where it was moved to', () => {
    let realMs = 1_000;
    const clock = new SimulatorClock(() => realMs);
    clock.advance(HOUR_MS);
    realMs += 5;
    // What really passed in that hour was not skipped.
    expect(clock.now()).toBeGreaterThan(HOUR_MS);
    expect(clock.now()).toBeLessThanOrEqual(HOUR_MS + 1_005);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(HOUR_MS);
  });

  it('has moved by no less than it was told, by either of its scales', () => {
    const clock = new SimulatorClock();
    for (let i = 0; i < 1_000; i += 1) {
      const [now, elapsed] = [clock.now(), clock.elapsed()];
      clock.advance(1_000);
      expect(clock.now() - now).toBeGreaterThanOrEqual(1_000);
      expect(clock.elapsed() - elapsed).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('fires what becomes due in its order, each at its own time, and what those set off too', () => {
    const clock = new SimulatorClock(() => 0);
    const fired: [string, number][] = [];
    const note = (name: string) => fired.push([name, Math.round(clock.elapsed() / HOUR_MS)]);
    clock.after(3 * HOUR_MS, () => note('third'));
    clock.after(HOUR_MS, () => {
      note('first');
      clock.after(HOUR_MS, () => note('second'));
    });
    clock.after(9 * HOUR_MS, () => note('never'));
    clock.advance(4 * HOUR_MS);
    expect(fired).toEqual([
      ['first', 1],
      ['second', 2],
      ['third', 3],
    ]);
    clock.close();
  });

  it('fires without being moved, and sooner if it was moved a part of the way', async () => {
    const clock = new SimulatorClock();
    const fired = new Promise<void>((resolve) => {
      clock.after(HOUR_MS, resolve);
    });
    clock.advance(HOUR_MS - 20);
    await fired;
    expect(clock.elapsed()).toBeGreaterThanOrEqual(HOUR_MS - 5);
  });

  it('fires nothing that was cancelled, and nothing once it is closed', () => {
    const clock = new SimulatorClock();
    const fired: string[] = [];
    clock.after(1_000, () => fired.push('cancelled')).cancel();
    clock.after(1_000, () => fired.push('closed'));
    clock.close();
    clock.after(1_000, () => fired.push('late'));
    clock.advance(HOUR_MS);
    expect(fired).toEqual([]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('cannot be moved by %d', (ms) => {
    expect(() => new SimulatorClock().advance(ms)).toThrow(RangeError);
  });

  it('ends a pause at its time, or at once when the signal says so', async () => {
    const clock = new SimulatorClock();
    const abort = new AbortController();
    const over = clock.pause(HOUR_MS, abort.signal);
    const aborted = clock.pause(2 * HOUR_MS, abort.signal);
    clock.advance(HOUR_MS);
    await over;
    abort.abort();
    await aborted;
    await clock.pause(HOUR_MS, abort.signal);
    clock.close();
  });
});

describe('whatever waits in a simulator', () => {
  it('follows its clock: tokens end', async () => {
    await using it = await startWebhookApp();
    it.simulator.clock.advance(HOUR_MS);
    const { status, body } = await it.graph.call('GET', '/subscriptions');
    expect(status).toBe(401);
    expect(body.error.message).toContain('expired');
  });

  it('follows its clock: a subscription ends in the change log at its own time, unasked', async () => {
    await using it = await startWebhookApp();
    await it.subscribe({ expirationDateTime: it.inMinutes(60) });
    it.simulator.clock.advance(2 * HOUR_MS);
    const [created, expired] = it.simulator.changeLog.ofKind('subscription');
    expect(expired?.action).toBe('expired');
    expect(Math.round((Number(expired?.at) - Number(created?.at)) / 60_000)).toBe(60);
  });

  it('follows its clock: the wait before a notification is repeated, for hours', async () => {
    const delivery = { retryBaseMs: HOUR_MS, retryCapMs: HOUR_MS, retryForMs: 3 * HOUR_MS };
    await using it = await startWebhookApp(
      { delivery },
      { answer: ({ path }) => (path === '/events' ? 503 : 202) },
    );
    await it.subscribe();
    it.event('Stubborn');
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await expect.poll(() => it.simulator.changeLog.ofKind('delivery').length).toBe(attempt);
      it.simulator.clock.advance(1.2 * HOUR_MS);
    }
    await expect.poll(() => it.simulator.state().notifications.abandoned).toBe(1);
  });

  it('follows its clock: the time limit of an endpoint that hangs', async () => {
    await using it = await startWebhookApp({}, { answer: (_post, n) => (n === 1 ? 'hang' : 202) });
    await it.subscribe();
    it.event('Hanging');
    await expect.poll(() => it.receiver.posts.length).toBe(1);
    it.simulator.clock.advance(3_000);
    await it.simulator.notifier.idle();
    expect(it.simulator.changeLog.ofKind('delivery').map(({ error, status }) => error ?? status)).toEqual([
      'timeout',
      202,
    ]);
  });

  it('follows its clock: the time limit of a handshake', async () => {
    let isAsked = false;
    const validate = () => {
      isAsked = true;
    };
    await using it = await startWebhookApp({}, { validate });
    const refused = expect(it.subscribe()).rejects.toThrow('timed out');
    await expect.poll(() => isAsked).toBe(true);
    it.simulator.clock.advance(10_000);
    await refused;
  });

  it('follows its clock: the time that a call takes', async () => {
    await using it = await startWebhookApp({ graphLatencyMs: 2 * HOUR_MS, tokenLifetimeSeconds: 86_400 });
    const answer = it.graph.call('GET', '/subscriptions');
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await expect
      .poll(() => {
        it.simulator.clock.advance(HOUR_MS);
        return isAnswered;
      })
      .toBe(true);
    expect((await answer).status).toBe(200);
  });
});
