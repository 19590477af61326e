/** Waits until no owner has news left, as the worker's own metrics tell. */
import { eventually } from '@graph2kafka/test-harness';

/** The longest regular wait is an early 404's: 40 s in all. */
const PATIENCE_MS = 60_000;

export async function waitUntilDrained(workerUrl: string): Promise<void> {
  await eventually(
    async () => {
      const metrics = await (await fetch(`${workerUrl}/metrics`)).text();
      return /^g2k_owners_with_news 0$/m.test(metrics);
    },
    { timeoutMs: PATIENCE_MS, intervalMs: 100 },
  );
}
