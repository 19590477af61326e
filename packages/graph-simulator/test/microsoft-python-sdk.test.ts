// Microsoft's Python SDK, where PYTHON_WITH_MSGRAPH names an interpreter that has examples/python/requirements.txt.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GraphSimulator } from '../src/index.ts';

const python = process.env.PYTHON_WITH_MSGRAPH;
const EXAMPLE = fileURLToPath(new URL('../examples/python/subscribe_and_read.py', import.meta.url));

if (python === undefined) {
  // A reporter may hide the names of skipped tests.
  process.stderr.write('Skipped: PYTHON_WITH_MSGRAPH names no Python with the Graph SDK.\n');
}

describe.skipIf(python === undefined)("Microsoft's Python SDK", () => {
  it('creates, lists, renews and deletes a subscription, and reads events', async () => {
    await using simulator = await GraphSimulator.start({ delivery: { collectMs: 5 } });
    const folder = await mkdtemp(join(tmpdir(), 'graph-simulator-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, simulator.caCertificate);
    const { stdout } = await promisify(execFile)(python ?? '', [EXAMPLE, simulator.url, caFile]);
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ', 1)[0]);
    expect(steps).toEqual(['users', 'created', 'listed', 'renewed', 'notified', 'read', 'events', 'deleted']);
    const actions = simulator.changeLog.ofKind('subscription').map(({ action }) => action);
    expect(actions).toEqual(['created', 'renewed', 'deleted']);
  }, 60_000);
});
