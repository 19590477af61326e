import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChangeLog, type ReadEntry } from '../src/change-log.ts';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graph-simulator-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const READ: ReadEntry = {
  kind: 'read',
  at: 1,
  answeredAt: 2,
  resource: 'users/u',
  version: null,
  status: 404,
};

describe('the change log', () => {
  it('tells of changes, deliveries, reads and subscriptions, in the file as in memory', async () => {
    const changeLogFile = join(await temporaryFolder(), 'changes.jsonl');
    const simulator = await GraphSimulator.start({ changeLogFile, users: 1, delivery: { collectMs: 1 } });
    await using graph = await connectTo(simulator);
    await using receiver = await startReceiver();
    const [user] = simulator.users();
    const { id } = await subscribe(graph, user?.id ?? '', receiver.url);
    const { path } = simulator.calendar.create(user?.id ?? '', { subject: 'A meeting' });
    simulator.calendar.remove(path.key);
    await simulator.notifier.idle();
    await graph.call('GET', `/${path.key}`);
    await simulator.close();

    const lines = (await readFile(changeLogFile, 'utf8')).trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line));
    expect(entries).toEqual(simulator.changeLog.entries);
    const { tenantId } = simulator;
    const etag = expect.stringMatching(/^W\/"/);
    const change = { kind: 'change', tenantId, resource: path.key, etag, subscribed: true };
    const delivery = {
      kind: 'delivery',
      subscriptionId: id,
      resource: path.key,
      status: 202,
      attempt: 1,
      tenantId,
    };
    expect(entries).toMatchObject([
      { kind: 'change', resource: `users/${user?.id}`, changeType: 'created', version: 1, subscribed: false },
      { kind: 'subscription', action: 'created', id, resource: `users/${user?.id}/events` },
      { ...change, changeType: 'created', version: 1 },
      { ...change, changeType: 'deleted', version: 2 },
      { ...delivery, changeType: 'created', version: 1 },
      { ...delivery, changeType: 'deleted', version: 2 },
      { kind: 'read', resource: path.key, version: null, status: 404 },
    ]);
    const sent = entries[4];
    expect(sent.answeredAt).toBeGreaterThanOrEqual(sent.at);
  });

  it('counts versions on through deletion and restoration', async () => {
    await using simulator = await GraphSimulator.start({ users: 1 });
    const path = `users/${simulator.users()[0]?.id}/events/E`;
    simulator.resources.create(path, { subject: 'one' });
    simulator.resources.remove(path);
    simulator.resources.create(path, { subject: 'two' });
    const versions = simulator.changeLog.ofKind('change').slice(1);
    expect(versions.map(({ changeType, version }) => [changeType, version])).toEqual([
      ['created', 1],
      ['deleted', 2],
      ['created', 3],
    ]);
    expect(new Set(versions.map(({ etag }) => etag)).size).toBe(3);
  });

  it('keeps only the newest entries in memory when told so, and all in the file', async () => {
    const file = join(await temporaryFolder(), 'changes.jsonl');
    const log = new ChangeLog({ file, keepEntries: 10 });
    for (let at = 0; at < 1_000; at += 1) log.append({ ...READ, at });
    expect(log.entries.length).toBeLessThanOrEqual(20);
    expect(log.entries.at(-1)?.at).toBe(999);
    await log.close();
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(1_000);
  });

  it('that cannot be written stops the start', async () => {
    const changeLogFile = join(await temporaryFolder(), 'missing', 'changes.jsonl');
    await expect(GraphSimulator.start({ changeLogFile })).rejects.toThrow('ENOENT');
  });
});
