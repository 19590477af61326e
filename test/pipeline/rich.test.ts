// Rich notifications from the simulated Graph to the topic: opened without a fetch, one record each, and never where
// they cannot be proven.
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { metricsOf } from '../support/refusals.ts';

const VECTORS = new URL('../../services/worker/test/rich/vectors/vectors.json', import.meta.url);

type VectorKey = { readonly privateKey: string; readonly certificate: string };

const KEY_ID = 'key-of-this-test';

/** A folder with one key, as ENCRYPTION_KEYS names it. */
async function folderOfKeys(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key] = JSON.parse(await readFile(VECTORS, 'utf8')) as readonly VectorKey[];
  await writeFile(join(folder, `${KEY_ID}.pem`), `${key?.privateKey}${key?.certificate}`);
  return folder;
}

const SELECTED = ['subject', 'start', 'end'];

/** A `subscriptions.yaml`: JSON is YAML too. */
const wantedCalendars = (more: object) => (users: readonly string[]) =>
  JSON.stringify({ subscriptions: [{ name: 'calendars', resource: 'users/{user}/events', users, ...more }] });

const startRichPipeline = (): Promise<Pipeline> => startWithFolder();

async function startWithFolder(): Promise<Pipeline & { readonly folder: string }> {
  const folder = await folderOfKeys();
  const pipeline = await startPipeline({
    subscriptions: wantedCalendars({ rich: true, select: SELECTED }),
    worker: { ENCRYPTION_KEYS: `file:${folder}/` },
  });
  return { ...pipeline, folder };
}

describe('a rich notification', () => {
  it('becomes a record of the state that it carries, without a fetch', async () => {
    const { simulator, eventsOf, log } = await startRichPipeline();
    const [user] = simulator.users();
    const start = { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' };
    const { path, etag } = simulator.calendar.create(user?.id ?? '', { subject: 'Größe 会議', start });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    expect(eventsOf(path.key)[0]).toMatchObject({
      type: 'Microsoft.Graph.EventCreated',
      acquisition: 'rich',
      resourceversion: etag,
      data: { id: path.segments.at(-1)?.id, subject: 'Größe 会議', start },
    });
    expect(eventsOf(path.key)[0]?.data).not.toHaveProperty('body');
    expect(simulator.changeLog.ofKind('read').filter(({ resource }) => resource === path.key)).toEqual([]);
    expect(log.join('\n')).not.toContain('会議');
  });

  it('has the shape that a fetch of the same properties gives', async () => {
    const meeting = {
      subject: 'Shape',
      start: { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' },
      end: { dateTime: '2026-12-01T10:00:00.0000000', timeZone: 'UTC' },
    };
    const dataOf = async ({ simulator, eventsOf }: Pipeline) => {
      const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', meeting);
      await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
      const {
        '@odata.context': _context,
        '@odata.etag': etag,
        id,
        ...data
      } = eventsOf(path.key)[0]?.data ?? {};
      return { ...data, hasEtag: typeof etag, hasId: id === path.segments.at(-1)?.id };
    };
    const [rich, fetched] = await Promise.all([
      startWithFolder().then(dataOf),
      startPipeline({ subscriptions: wantedCalendars({ select: SELECTED }) }).then(dataOf),
    ]);
    expect(rich).toEqual(fetched);
    expect(rich).toEqual({ ...meeting, hasEtag: 'string', hasId: true });
  });

  it('is one record for each state, in order, and a deletion follows them', async () => {
    const { simulator, eventsOf } = await startRichPipeline();
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: '0' });
    for (let n = 1; n <= 9; n++) simulator.calendar.update(path.key, { subject: String(n) });
    simulator.calendar.remove(path.key);
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(11));
    const records = eventsOf(path.key);
    expect(records.map(({ data }) => data.subject)).toEqual([...'0123456789', undefined]);
    expect(records.at(-1)?.acquisition).toBe('deleted');
    expect(new Set(records.map(({ id }) => id)).size).toBe(11);
  });

  it('that is forged is a dead letter without its content, and the true one a record', async () => {
    const pipeline = await startRichPipeline();
    const { simulator, events, deadLetters, drained } = pipeline;
    const user = simulator.users()[0]?.id ?? '';
    for (const forge of FORGERIES) {
      simulator.faults.add({ on: 'delivery', forge, duplicate: true });
      simulator.calendar.create(user, { subject: `canary of ${forge}` });
      await simulator.notifier.idle();
    }
    await eventually(() => expect(deadLetters()).toHaveLength(FORGERIES.length), { timeoutMs: 20_000 });
    await drained();
    await eventually(() => expect(events()).toHaveLength(FORGERIES.length));
    expect(events().map(({ acquisition }) => acquisition)).toEqual(FORGERIES.map(() => 'rich'));
    expect(new Set(deadLetters().map(({ data }) => data.stage))).toEqual(new Set(['verify']));
    expect(JSON.stringify(deadLetters())).not.toContain('canary');
    expect(await metricsOf(pipeline)).toContain(`g2k_resources_given_up_total ${FORGERIES.length}\n`);
  });
});

/** All that need no new list of signing keys to be judged, and no key that is not held. */
const FORGERIES = [
  'alg-none',
  'hs256',
  'foreign-key',
  'foreign-tenant',
  'foreign-audience',
  'foreign-publisher',
  'foreign-issuer',
  'expired',
  'not-yet-valid',
  'null-tokens',
  'no-tokens',
  'many-tokens',
  'tampered-data',
  'tampered-key',
  'tampered-signature',
] as const;

describe('a rich notification for a key that is not held', () => {
  it('waits with an alarm, delays no other, and is opened once the key is there', async () => {
    const { folder, ...pipeline } = await startWithFolder();
    const { simulator, eventsOf, log } = pipeline;
    const user = simulator.users()[0]?.id ?? '';
    const fault = { on: 'delivery', forge: 'unknown-certificate' } as const;
    simulator.faults.add(fault);
    const parked = simulator.calendar.create(user, { subject: 'Parked' }).path.key;
    await eventually(() => expect(log.join()).toContain('content.key-not-held'));
    const other = simulator.calendar.create(user, { subject: 'Other' }).path.key;
    await eventually(() => expect(eventsOf(other)).toHaveLength(1));
    expect(eventsOf(parked)).toEqual([]);
    const line = log.find((each) => each.includes('content.key-not-held')) ?? '';
    const { certificate } = JSON.parse(line) as { certificate: string };
    await copyFile(join(folder, `${KEY_ID}.pem`), join(folder, `${certificate}.pem`));
    await eventually(() => expect(eventsOf(parked)).toHaveLength(1), { timeoutMs: 25_000 });
    expect(eventsOf(parked)[0]).toMatchObject({ acquisition: 'rich', data: { subject: 'Parked' } });
  }, 60_000);
});
