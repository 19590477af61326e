/** All that people and programs see of the worker and of the receiver's metrics, as text. */
import type { Pipeline } from '../support/pipeline.ts';

export async function readPages(pipeline: Pipeline, adminPassword: string): Promise<string> {
  const { url } = pipeline.services.worker;
  const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
  const states = ['active', 'waiting', 'delayed', 'completed', 'failed', 'paused', 'latest'];
  const queues = ['owners', 'subscriptions', 'dead-letters'].flatMap((queue) =>
    states.map((status) => `/queues/api/queues?activeQueue=${queue}&status=${status}&jobsPerPage=100`),
  );
  const paths = ['/', '/queues', '/metrics', '/healthz', '/readyz', '/nowhere', ...queues];
  const pages = [metricsUrl(pipeline), ...paths.map((path) => url + path)].map(async (page) => {
    const response = await fetch(page, { headers: { authorization } });
    return `${page} ${response.status} ${[...response.headers].join('\n')} ${await response.text()}`;
  });
  return (await Promise.all(pages)).join('\n');
}

/** The port of the receiver's /metrics, from its log. */
function metricsUrl({ log }: Pipeline): string {
  const line = log.find((text) => text.includes('"metrics.listening"')) ?? '{}';
  return `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}/metrics`;
}
