/** Brings about every kind of record that the topics can hold, through the simulated Graph and the receiver's port. */
import { randomBytes } from 'node:crypto';
import { eventually, readTopic } from '@graph2kafka/test-harness';
import { callGraph } from '../support/graph-call.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from '../support/pipeline.ts';

const CLIENT_STATE = 'made-by-somebody-else';
/** More than a topic takes by default (1 MiB), also when compressed. */
const LARGE_BYTES = 1_500_000;

/** The keys of the resources, by what became of them. */
export type News = {
  readonly pipeline: Pipeline;
  readonly changed: string;
  readonly deleted: string;
  readonly refused: string;
  readonly large: string;
  /** No key: the path as it was notified. */
  readonly notUnderstood: string;
};

/** Resolves when all of it is in the topics. */
export async function startWithAllKindsOfNews(worker: PipelineOptions['worker']): Promise<News> {
  const pipeline = await startPipeline({
    receiver: { CLIENT_STATES_ACCEPTED: CLIENT_STATE },
    worker: { KAFKA_TOMBSTONES: 'true', ...worker },
  });
  const { simulator, drained } = pipeline;
  const user = simulator.users()[0]?.id ?? '';
  const create = (subject: string, more: Record<string, string> = {}) =>
    simulator.calendar.create(user, { subject, body: { contentType: 'html', content: '', ...more } }).path
      .key;
  const settled = async () => {
    await simulator.notifier.idle();
    await drained();
  };
  const changed = create('Réunion budgétaire');
  const deleted = create('Cancelled');
  const large = create('Minutes', { content: randomBytes(LARGE_BYTES).toString('base64') });
  const refused = create('Secret');
  await settled();
  const isRefused = new RegExp(`/events/${RegExp.escape(refused.split('/').at(-1) ?? '')}`);
  simulator.faults.add({ method: 'GET', path: isRefused, status: 403, times: Number.POSITIVE_INFINITY });
  simulator.calendar.update(refused, { subject: 'More secret' });
  simulator.calendar.update(changed, { subject: 'Réunion déplacée' });
  simulator.calendar.remove(deleted);
  const notUnderstood = await postNotUnderstood(pipeline);
  await settled();
  await postMissed(pipeline);
  await settled();
  await eventually(async () => {
    const { brokers, topic } = pipeline.stack;
    return (await readTopic({ brokers, topic })).some(({ headers }) => headers.ce_acquisition === 'snapshot');
  });
  const keyOf = (resource: string) => `${simulator.tenantId}/${resource}`;
  return {
    pipeline,
    changed: keyOf(changed),
    deleted: keyOf(deleted),
    refused: keyOf(refused),
    large: keyOf(large),
    notUnderstood,
  };
}

/** Rightly signed, but nobody knows what resource it tells of. */
async function postNotUnderstood({ simulator, services }: Pipeline): Promise<string> {
  const resource = 'users//events/..';
  await post(`${services.receiver.url}/events`, {
    subscriptionId: '7f105c7d-2dc5-4530-97cd-4e7ae6534c07',
    subscriptionExpirationDateTime: '2030-01-01T00:00:00Z',
    tenantId: simulator.tenantId,
    clientState: CLIENT_STATE,
    changeType: 'updated',
    resource,
  });
  return resource;
}

/** What Graph posts where it could not deliver something (change-notifications-lifecycle-events). */
async function postMissed({ simulator }: Pipeline): Promise<void> {
  const { value } = (await callGraph(simulator, 'GET', '/subscriptions')) as {
    value: Record<string, string>[];
  };
  const { id, clientState, expirationDateTime, lifecycleNotificationUrl } = value[0] ?? {};
  await post(String(lifecycleNotificationUrl), {
    subscriptionId: id,
    subscriptionExpirationDateTime: expirationDateTime,
    tenantId: simulator.tenantId,
    clientState,
    lifecycleEvent: 'missed',
  });
}

async function post(url: string, item: Record<string, unknown>): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: [item] }),
  });
  if (response.status !== 202) throw new Error(`${url} answered ${response.status}`);
}
