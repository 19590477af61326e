/** Drives on the whole way, and holes that are closed by delta query. */
import { eventually, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callGraph } from '../support/graph-call.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const MANY_MS = 40_000;

const drives = (userIds: readonly string[]) =>
  [
    'subscriptions:',
    '  - name: drives',
    '    resource: users/{user}/drive/root',
    '    users:',
    ...userIds.map((id) => `      - ${id}`),
    '',
  ].join('\n');

/** The records of an item of the first user's drive. */
function recordsOf({ eventsOf, simulator }: Pipeline, id: string | undefined) {
  return eventsOf(`users/${simulator.users()[0]?.id}/drive/items/${id}`);
}

const idOf = ({ path }: { path: { segments: readonly { id?: string }[] } }) => path.segments.at(-1)?.id;

describe('a drive', () => {
  it('tells of files that are made, changed, renamed and deleted', async () => {
    const pipeline = await startPipeline({ subscriptions: drives });
    const { simulator, deadLetters } = pipeline;
    const drive = `users/${simulator.users()[0]?.id}/drive/items`;
    const file = simulator.items.create(drive, { name: 'Report.docx' });
    const seen = () => recordsOf(pipeline, idOf(file));
    await eventually(() => expect(seen()).toMatchObject([{ data: { name: 'Report.docx' } }]));
    simulator.items.update(file.path, { name: 'Final report.docx', size: 12 });
    await eventually(() =>
      expect(seen().at(-1)).toMatchObject({
        acquisition: 'delta',
        data: { name: 'Final report.docx', size: 12 },
      }),
    );
    simulator.items.remove(file.path);
    await eventually(() => expect(seen().at(-1)?.type).toBe('Microsoft.Graph.DriveItemDeleted'));
    expect(deadLetters()).toEqual([]);
  });

  it('loses none of 250 files when the worker is killed between two pages and another takes over', async () => {
    const pipeline = await startPipeline({
      subscriptions: drives,
      worker: { OWNER_LEASE_MS: '2000' },
    });
    const { simulator, services, stack, events, dir } = pipeline;
    const drive = `users/${simulator.users()[0]?.id}/drive/items`;
    simulator.faults.add({ method: 'GET', path: /\/delta/, delayMs: 200, times: 20 });
    const made = Array.from({ length: 250 }, (_, n) => simulator.items.create(drive, { name: `No ${n}` }));
    await eventually(() => expect(events().length).toBeGreaterThan(50), { timeoutMs: MANY_MS });
    services.worker.process.kill9();
    expect(events().length).toBeLessThan(250);
    const place = { receiverUrl: services.receiver.url, subscriptionsFile: `${dir}/wanted.yaml` };
    const other = await startWorker(stack, place, { OWNER_LEASE_MS: '2000' });
    onTestFinished(async () => void (await other.process.stop()));
    const keys = new Set(made.map((item) => idOf(item)));
    await eventually(
      () => {
        const seen = new Set(events().map(({ data }) => data.id));
        expect([...keys].filter((id) => !seen.has(id))).toEqual([]);
      },
      { timeoutMs: MANY_MS },
    );
  }, 100_000);
});

describe('a subscription that was missed notifications', () => {
  it('has what changed and what was deleted meanwhile found, by the token of the hole before', async () => {
    const { simulator, eventsOf } = await startPipeline();
    const user = simulator.users()[0]?.id ?? '';
    const silently = { notifyTimes: 0 } as const;
    const inDays = (days: number) => {
      const at = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 19);
      return { start: { dateTime: at, timeZone: 'UTC' }, end: { dateTime: at, timeZone: 'UTC' } };
    };
    const create = (subject: string, days: number) =>
      simulator.calendar.create(user, { subject, ...inDays(days) }, silently);
    const [changed, gone] = [create('changed', 1), create('gone', 2)];
    await missed(simulator);
    await eventually(() => expect(eventsOf(gone.path.key)).toMatchObject([{ acquisition: 'snapshot' }]));
    await eventually(() => expect(eventsOf(changed.path.key)).toMatchObject([{ acquisition: 'snapshot' }]));
    simulator.calendar.update(changed.path.key, { subject: 'unheard' }, silently);
    simulator.calendar.remove(gone.path.key, silently);
    await missed(simulator);
    await eventually(() =>
      expect(eventsOf(changed.path.key).at(-1)).toMatchObject({
        acquisition: 'delta',
        data: { subject: 'unheard' },
      }),
    );
    await eventually(() => expect(eventsOf(gone.path.key).at(-1)?.type).toBe('Microsoft.Graph.EventDeleted'));
  });
});

/** Posts what Graph would post to the lifecycle address (change-notifications-lifecycle-events). */
async function missed(simulator: Pipeline['simulator']): Promise<void> {
  const { value } = await callGraph(simulator, 'GET', '/subscriptions');
  const [{ id, clientState, expirationDateTime, lifecycleNotificationUrl } = {}] = value as Record<
    string,
    unknown
  >[];
  const item = {
    subscriptionId: id,
    subscriptionExpirationDateTime: expirationDateTime,
    tenantId: simulator.tenantId,
    clientState,
    lifecycleEvent: 'missed',
  };
  const response = await fetch(String(lifecycleNotificationUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: [item] }),
  });
  expect(response.status).toBe(202);
}
