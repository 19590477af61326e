// A receiver with its port of /metrics, and what is read there.
import { get } from './post.ts';
import { type RunningReceiver, runReceiver } from './running-receiver.ts';

export interface MeasuredReceiver extends AsyncDisposable {
  readonly receiver: RunningReceiver;
  readonly metricsUrl: string;
  /** Values by name and labels, of our own metrics alone. */
  readonly metrics: () => Promise<Readonly<Record<string, number>>>;
}

/** Resolves when it is ready. */
export async function runMeasured(
  redisUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<MeasuredReceiver> {
  const receiver = await runReceiver({
    redisUrl,
    environment: { ...environment, METRICS_PORT: '0', METRICS_HOST: '127.0.0.1' },
  });
  await receiver.untilReady();
  const line = receiver.lines.find((text) => text.includes('"metrics.listening"')) ?? '{}';
  const { port } = JSON.parse(line) as { port: number };
  const metricsUrl = `http://127.0.0.1:${port}`;
  return {
    receiver,
    metricsUrl,
    metrics: async () => ownMetrics((await get(`${metricsUrl}/metrics`)).text),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

function ownMetrics(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').filter((line) => line.startsWith('g2k_'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
