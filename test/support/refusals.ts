/** What shows while Graph refuses, in the log, the metrics and the probes; and that nothing came of it but a wait. */
import { eventually } from '@graph2kafka/test-harness';
import { expect } from 'vitest';
import type { Pipeline } from './pipeline.ts';

type LogLine = { readonly message: string; readonly level: string } & Readonly<Record<string, unknown>>;

export function logged({ log }: Pipeline, message: string): LogLine[] {
  return log
    .filter((line) => line.includes(`"${message}"`))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => line.message === message);
}

export async function metricsOf({ services }: Pipeline): Promise<string> {
  return (await fetch(`${services.worker.url}/metrics`)).text();
}

/** No job is under way; what waits is delayed. */
export async function untilQuiet(pipeline: Pipeline): Promise<void> {
  await pipeline.simulator.notifier.idle();
  await eventually(async () => {
    const metrics = await metricsOf(pipeline);
    for (const state of ['waiting', 'active'])
      expect(metrics).toContain(`g2k_jobs{queue="owners",state="${state}"} 0\n`);
  });
}

/** A new event in each calendar; their keys. */
export function makeEvents({ simulator }: Pipeline, subject: string): string[] {
  return simulator.users().map(({ id }) => simulator.calendar.create(id, { subject }).path.key);
}

export async function expectFetched({ eventsOf }: Pipeline, keys: readonly string[]): Promise<void> {
  await eventually(() => {
    for (const key of keys) expect([key, eventsOf(key).length > 0]).toEqual([key, true]);
  });
  for (const key of keys)
    expect(eventsOf(key).map(({ acquisition }) => acquisition)).not.toContain('notification');
}

/** That the worker is ready says that it can do its part; what Graph refuses is said beside it. */
export async function expectShown(pipeline: Pipeline, labels: string): Promise<void> {
  await eventually(async () =>
    expect(await metricsOf(pipeline)).toContain(`g2k_tenant_paused{${labels}} 1\n`),
  );
  const ready = await fetch(`${pipeline.services.worker.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({
    problems: [],
    pauses: [expect.stringContaining('waits until')],
  });
}

export async function expectOver(pipeline: Pipeline): Promise<void> {
  await eventually(() => expect(logged(pipeline, 'tenant.resumed')).toHaveLength(1));
  expect(await metricsOf(pipeline)).not.toContain('g2k_tenant_paused{');
  expect(await metricsOf(pipeline)).toContain('g2k_jobs{queue="owners",state="failed"} 0\n');
  expect(pipeline.deadLetters()).toEqual([]);
}
