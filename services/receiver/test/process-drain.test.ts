// What load balancers see of a receiver that is told to end.
import { Agent, request } from 'node:http';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { runMeasured } from './metrics-of.ts';
import { change, collection } from './notifications.ts';
import { runReceiver } from './running-receiver.ts';

/** Much longer than the requests take that come meanwhile. */
const environment = { SHUTDOWN_DELAY_MS: '5000', SHUTDOWN_GRACE_MS: '20000' };

/** One notification on a connection that its client means to keep; resolves to the status and what is said of it. */
function postKeeping(agent: Agent, url: string, event: string): Promise<readonly [number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly [number, string]>();
  const headers = { 'content-type': 'application/json' };
  const sending = request(`${url}/events`, { method: 'POST', agent, headers }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve([answer.statusCode ?? 0, String(answer.headers.connection)]));
  });
  sending.on('error', reject);
  sending.end(collection(change({}, { event })));
  return promise;
}

describe('a receiver that is told to end', () => {
  it('is not ready at once, and still stores for a while, with an end to each connection', async () => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl'), environment });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await it.untilReady();
    expect(await postKeeping(agent, it.url, 'before')).toEqual([202, 'keep-alive']);
    const ended = it.process.stop({ graceMs: 30_000 });
    await it.process.waitForLine((line) => line.includes('"service.stopping"'));
    const ready = await it.ready();
    expect([ready.status, JSON.parse(ready.text)]).toEqual([
      503,
      { status: 'not ready', reason: 'stopping' },
    ]);
    expect(await postKeeping(agent, it.url, 'after')).toEqual([202, 'close']);
    expect((await it.post('on a new connection')).status).toBe(202);
    expect(await ended).toEqual({ code: 0, signal: null });
    await eventually(() =>
      it.post().then(
        () => false,
        () => true,
      ),
    );
  }, 20_000);

  it('shows its metrics for as long as it takes notifications', async () => {
    await using it = await runMeasured(inject('redisUrl'), environment);
    const ended = it.receiver.process.stop({ graceMs: 30_000 });
    await eventually(async () => (await it.receiver.ready()).status === 503);
    expect((await it.receiver.post('after')).status).toBe(202);
    expect((await it.metrics()).g2k_receiver_requests_in_flight).toBeTypeOf('number');
    expect(await ended).toEqual({ code: 0, signal: null });
  }, 20_000);

  it('waits for nobody where it is ended by hand', async () => {
    await using it = await runReceiver({
      redisUrl: inject('redisUrl'),
      environment: { SHUTDOWN_DELAY_MS: '300000', SHUTDOWN_GRACE_MS: '600000' },
    });
    await it.untilReady();
    process.kill(it.process.pid, 'SIGINT');
    expect(await it.process.exited).toEqual({ code: 0, signal: null });
  });
});
