/** docker-compose.yml as its users start it: what it says is run, and carries changes from Graph to Kafka. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChangeLogLine, check, describeVerdict, eventually } from '@graph2kafka/test-harness';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { ComposeProject } from './support/compose-project.ts';
import { whyNoNetwork } from './support/private-network.ts';
import { controlGraph, type SimulatedGraph } from './support/simulated-graph.ts';

const images = inject('images');
const missing = images.missing ?? (await whyNoNetwork());
if (missing && !images.missing) process.stderr.write(`docker-compose.yml is not run: ${missing}\n`);

/** Users of the demonstration, each with a calendar. */
const SUBSCRIPTIONS = 5;
const CHANGES = 300;
const CHANGES_PER_SECOND = 30;
const JUDGED_WITHIN_MS = 60_000;

async function graphOf(project: ComposeProject): Promise<SimulatedGraph> {
  const [simulator] = project.instancesOf('simulator');
  const ca = await readFile(join(project.dir, 'simulator-ca/ca.pem'), 'utf8');
  const graph = controlGraph(`${simulator?.place.address}:8443`, ca);
  await eventually(async () => expect(await graph.subscriptions()).toBe(SUBSCRIPTIONS), {
    timeoutMs: 30_000,
  });
  return graph;
}

function logged(lines: readonly string[], message: string): { readonly key?: string }[] {
  return lines
    .filter((line) => line.includes(`"message":"${message}"`))
    .map((line) => JSON.parse(line) as { readonly key?: string });
}

async function changeLog(project: ComposeProject): Promise<ChangeLogLine[]> {
  const text = await readFile(join(project.dir, 'simulator-ca/changes.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ChangeLogLine);
}

describe.skipIf(missing)(`docker-compose.yml${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(() => {
    if (images.failure) throw new Error(images.failure);
  });

  it('as it stands, with the profile demo, carries a change from Graph into the topic, and ends in order', async () => {
    const project = await ComposeProject.start({ images });
    const graph = await graphOf(project);
    const [user] = await graph.users();
    const { id } = await graph.createEvent(user?.id ?? '', 'Out of Compose');
    await eventually(
      async () => {
        const records = await project.records('graph.events');
        const record = records.find(({ key }) => key?.endsWith(`/events/${id}`));
        expect(JSON.parse(record?.value ?? '{}')).toMatchObject({ data: { subject: 'Out of Compose' } });
      },
      { timeoutMs: 30_000, intervalMs: 500 },
    );
    for (const service of ['worker', 'receiver', 'simulator']) {
      for (const { container } of project.instancesOf(service)) {
        expect(await container?.stop(), service).toEqual({ code: 0, signal: null });
      }
    }
  });

  it('with RECEIVERS=2 and WORKERS=3 loses nothing, and keeps the order of each key', async () => {
    const project = await ComposeProject.start({
      images,
      environment: {
        RECEIVERS: '2',
        WORKERS: '3',
        RECEIVER_PORTS: '8080-8089',
        NOTIFICATION_URL: 'http://balancer:8080/events',
        LIFECYCLE_NOTIFICATION_URL: 'http://balancer:8080/lifecycle',
      },
      simulatorOptions: ['--change-log=/run/simulator/changes.jsonl'],
    });
    const graph = await graphOf(project);
    await graph.live(0);
    await graph.live(CHANGES_PER_SECOND);
    await eventually(
      async () =>
        expect((await changeLog(project)).filter(({ kind }) => kind === 'change').length).toBeGreaterThan(
          CHANGES,
        ),
      { timeoutMs: 60_000, intervalMs: 500 },
    );
    await graph.live(0);
    await eventually(
      async () => {
        const records = await project.records('graph.events');
        const letters = await project.records('graph.events.dlq');
        const verdict = check(await changeLog(project), records, letters);
        expect(verdict.ok, describeVerdict(verdict)).toBe(true);
        expect(letters).toEqual([]);
        expect(verdict.counts.acknowledged).toBeGreaterThan(CHANGES / 2);
      },
      { timeoutMs: JUDGED_WITHIN_MS, intervalMs: 1_000 },
    );
    const receivers = project.instancesOf('receiver');
    expect(receivers).toHaveLength(2);
    for (const { name, log } of receivers) expect(logged(log, 'notification.stored'), name).not.toEqual([]);
    const workers = project.instancesOf('worker').map(({ log }) => logged(log, 'record.published'));
    expect(workers).toHaveLength(3);
    for (const published of workers) expect(published).not.toEqual([]);
    const keysOf = workers.map((published) => new Set(published.map(({ key }) => key)));
    const [first, ...others] = keysOf;
    const shared = [...(first ?? [])].filter((key) => others.some((keys) => keys.has(key)));
    expect(shared, 'keys that several workers have published').not.toEqual([]);
  });
});
