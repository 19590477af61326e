/** Waits until what was announced is delivered, worked and published. */
import { eventually } from '@graph2kafka/test-harness';
import { unlessInterrupted } from '../benchmark.ts';
import type { WholePipeline } from './whole-pipeline.ts';

/** Redelivery backs off to seconds, an early 404 waits up to 40 s in all. */
const PATIENCE_MS = 90_000;
const EVERY_MS = 50;

/** Until nothing is under way; a resource that Graph does not know yet may still wait for its next try. */
export function workOff(pipeline: WholePipeline, interrupted: AbortSignal): Promise<void> {
  return settle(pipeline, interrupted, (metrics) =>
    ['waiting', 'active', 'delayed'].every((state) =>
      metrics.includes(`g2k_jobs{queue="owners",state="${state}"} 0\n`),
    ),
  );
}

/** Until nothing is left at all. */
export function drain(pipeline: WholePipeline, interrupted: AbortSignal): Promise<void> {
  return settle(pipeline, interrupted, (metrics) => metrics.includes('g2k_owners_with_news 0\n'));
}

/** As the worker's own metrics tell; the checker, which looks into the topic, does not rely on them. */
async function settle(
  { simulator, services }: WholePipeline,
  interrupted: AbortSignal,
  isSettled: (metrics: string) => boolean,
): Promise<void> {
  await unlessInterrupted(simulator.notifier.idle({ timeoutMs: PATIENCE_MS }), interrupted);
  const settled = eventually(
    async () => isSettled(await (await fetch(`${services.worker.url}/metrics`)).text()),
    { timeoutMs: PATIENCE_MS, intervalMs: EVERY_MS },
  );
  await unlessInterrupted(settled, interrupted);
}
