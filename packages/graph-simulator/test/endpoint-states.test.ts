import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { startWebhookApp, type WebhookApp } from './webhook-app.ts';

const TEN_MINUTES_MS = 600_000;
/** Enough to be rated by, in one POST. */
const RATED = 100;
const DELIVERY = { maxItemsPerPost: RATED };

const stateOf = ({ simulator }: WebhookApp) => simulator.state().endpoints[0]?.state;
const posts = ({ receiver }: WebhookApp, path: string) => receiver.posts.filter((post) => post.path === path);

/** Lets the attempts of the first POST run into their limits, so many of them. */
async function hangThrough(it: WebhookApp, attempts: number): Promise<void> {
  for (let i = 0; i < RATED; i += 1) it.event(`No ${i}`);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await expect.poll(() => posts(it, '/events').length).toBe(attempt);
    it.simulator.clock.advance(attempt === 1 ? 3_000 : 10_000);
  }
}

/** Hangs for the first POSTs of notifications, and answers all later ones. */
function startHanging(attempts: number): Promise<WebhookApp> {
  let hung = 0;
  const answer = ({ path }: { readonly path: string }) => {
    if (path === '/events') hung += 1;
    return path === '/events' && hung <= attempts ? 'hang' : 202;
  };
  return startWebhookApp({ delivery: DELIVERY }, { answer });
}

describe('an endpoint that answers too late', () => {
  it('is slow: what is new comes 10 minutes late, and in time again once a few were', async () => {
    await using it = await startHanging(1);
    await it.subscribe();
    await hangThrough(it, 1);
    await expect.poll(() => stateOf(it)).toBe('slow');
    await it.simulator.notifier.idle();
    it.event('Late');
    await expect(it.simulator.notifier.idle({ timeoutMs: 50 })).rejects.toThrow('1 notifications');
    it.simulator.clock.advance(TEN_MINUTES_MS);
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toHaveLength(2 * RATED + 1);
    for (let i = 0; i < 5; i += 1) it.event(`Tried ${i}`);
    await it.simulator.notifier.idle();
    expect(stateOf(it)).toBe('normal');
    expect(it.simulator.state().notifications).toMatchObject({ lost: 0, delivered: RATED + 6 });
  });

  it('is in drop: what is new is lost for 10 minutes, of which "missed" tells once', async () => {
    await using it = await startHanging(2);
    await it.subscribe();
    await hangThrough(it, 2);
    await expect.poll(() => stateOf(it)).toBe('drop');
    it.event('Lost');
    it.event('Lost too');
    await it.simulator.notifier.idle();
    expect(it.simulator.state().notifications).toMatchObject({ lost: 2, delivered: RATED + 1 });
    const notices = posts(it, '/lifecycle').flatMap(({ items }) => items);
    expect(notices.map(({ lifecycleEvent }) => lifecycleEvent)).toEqual(['missed']);
    it.simulator.clock.advance(TEN_MINUTES_MS);
    for (let i = 0; i < 5; i += 1) it.event(`Tried ${i}`);
    await it.simulator.notifier.idle();
    expect(stateOf(it)).toBe('normal');
    expect(it.simulator.state().notifications.lost).toBe(2);
    expect(posts(it, '/lifecycle').flatMap(({ items }) => items)).toHaveLength(2);
  });

  it('is shown with its rating, and without the query of its address', async () => {
    await using it = await startHanging(1);
    await it.subscribe({ notificationUrl: `${it.receiver.url}?code=secret` });
    await hangThrough(it, 1);
    await expect.poll(() => stateOf(it)).toBe('slow');
    const { body } = await it.graph.raw('GET', '/simulator/endpoints');
    expect(body.value[0]).toMatchObject({
      url: it.receiver.url,
      state: 'slow',
      responses: expect.any(Number),
    });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('does not concern another endpoint', async () => {
    await using it = await startHanging(2);
    await it.subscribe();
    await it.subscribe({ notificationUrl: `${it.receiver.url}/other`, changeType: 'updated' });
    await hangThrough(it, 2);
    await expect.poll(() => stateOf(it)).toBe('drop');
    it.simulator.calendar.update(it.simulator.resources.list(`users/${it.user}/events`)[0]?.path.key ?? '', {
      subject: 'Moved',
    });
    await it.simulator.notifier.idle();
    expect(posts(it, '/events/other')).toHaveLength(1);
  });

  it('is never rated if that is switched off', async () => {
    const delivery = { ...DELIVERY, endpoints: { isRated: false } };
    await using it = await startWebhookApp({ delivery }, { answer: (_post, n) => (n === 1 ? 'hang' : 202) });
    await it.subscribe();
    await hangThrough(it, 1);
    await it.simulator.notifier.idle();
    it.event('In time');
    await it.simulator.notifier.idle();
    expect(stateOf(it)).toBe('normal');
  });

  it('that answers 5xx at once, or is down, is not slow', async () => {
    const delivery = { ...DELIVERY, endpoints: { minimumNotifications: 1 } };
    await using it = await startWebhookApp({ delivery }, { answer: (_post, n) => (n < 4 ? 503 : 202) });
    await it.subscribe();
    it.event('Refused thrice');
    await it.simulator.notifier.idle();
    expect(it.simulator.state().endpoints[0]).toMatchObject({ state: 'normal', responses: 4, slowShare: 0 });
  });
});

it('keeps Graph’s numbers for what an option does not name', async () => {
  await using simulator = await GraphSimulator.start({ delivery: { endpoints: { trials: 1 } } });
  expect(simulator.state().endpoints).toEqual([]);
});
