/** A new version is rolled out: each instance is replaced by another one while changes go on. */
import { eventually, freePort, type Service, startReceiver, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startLoadBalancer } from '../support/load-balancer.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

/** Some times what the load balancer takes to learn of an end, so that a slow machine is no reason to fail. */
const DELAY_MS = 6000;
const GRACE_MS = 20_000;
/** Cloud Run kills after it. */
const CLOUD_RUN_KILLS_MS = 10_000;
const CLEAN = { code: 0, signal: null };

type Versions = ReadonlyMap<string, string>;

/** Changes calendars without a pause, several at a time, each next one once Graph has had its answer. */
function keepChanging({ simulator }: Pipeline): { readonly latest: Versions; stop(): Promise<void> } {
  const latest = new Map<string, string>();
  let stopped = false;
  const drive = async (userId: string) => {
    const { path } = simulator.calendar.create(userId, { subject: 'first' });
    for (let n = 0; !stopped; n++) {
      const other = simulator.calendar.create(userId, { subject: `one of many, ${n}` });
      latest.set(other.path.key, other.etag);
      latest.set(path.key, simulator.calendar.update(path.key, { subject: `changed ${n}` }).etag);
      await simulator.notifier.idle();
    }
  };
  const driving = simulator.users().map(({ id }) => drive(id));
  return {
    latest,
    stop: async () => {
      stopped = true;
      await Promise.all(driving);
    },
  };
}

async function untilReady({ url }: Service): Promise<void> {
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: 30_000 });
}

describe('a rolling restart', () => {
  it('refuses no notification and loses none: each instance is not ready first, then hands over', async () => {
    const balancer = await startLoadBalancer();
    const [firstPort, nextPort] = [await freePort(), await freePort()];
    const environment = { SHUTDOWN_DELAY_MS: String(DELAY_MS), SHUTDOWN_GRACE_MS: String(GRACE_MS) };
    const place = {
      NOTIFICATION_URL: `${balancer.url}/events`,
      LIFECYCLE_NOTIFICATION_URL: `${balancer.url}/lifecycle`,
    };
    const added = balancer.add(`http://127.0.0.1:${firstPort}`);
    const pipeline = await startPipeline({
      users: 3,
      receiver: { ...environment, PORT: String(firstPort) },
      worker: place,
    });
    await added;
    const { stack, services, simulator, eventsOf, dir } = pipeline;
    const changing = keepChanging(pipeline);
    const seen = () => changing.latest.size;

    const receiver = await startReceiver(stack, { ...environment, PORT: String(nextPort) });
    onTestFinished(async () => void (await receiver.process.kill9()));
    await balancer.add(receiver.url);
    const before = seen();
    await eventually(() => seen() > before + 20);
    expect(await services.receiver.process.stop({ graceMs: 2 * GRACE_MS })).toEqual(CLEAN);

    const subscriptionsFile = `${dir}/subscriptions.yaml`;
    const worker = await startWorker(stack, { receiverUrl: balancer.url, subscriptionsFile });
    onTestFinished(async () => void (await worker.process.kill9()));
    await untilReady(worker);
    const soFar = seen();
    await eventually(() => seen() > soFar + 20);
    expect(await services.worker.process.stop({ graceMs: CLOUD_RUN_KILLS_MS })).toEqual(CLEAN);

    const after = seen();
    await eventually(() => seen() > after + 20);
    await changing.stop();
    expect(balancer.broken).toEqual([]);
    expect(new Set(balancer.statuses)).toEqual(new Set([200, 202]));
    expect(simulator.notifier.counters.failedAttempts).toBe(0);
    await eventually(
      () => {
        for (const [key, etag] of changing.latest) {
          expect(eventsOf(key).at(-1)?.resourceversion).toBe(etag);
        }
      },
      { timeoutMs: 30_000 },
    );
  }, 120_000);
});
