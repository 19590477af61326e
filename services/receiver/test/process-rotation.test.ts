import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signClientState } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { change, collection, SECRET, TENANT } from './notifications.ts';
import { post } from './post.ts';
import { lostOf, runReceiver, startLoad } from './running-receiver.ts';

const NEW_SECRET = 'the secret that follows';

async function secretFile(content: string) {
  const dir = await mkdtemp(join(tmpdir(), 'rotation-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'client-state-secrets');
  const put = async (text: string) => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  await put(content);
  return { path, put };
}

describe('a receiver whose clientState secrets are in a file', () => {
  it('verifies with the new ones once the file was replaced, without a restart or a lost request', async () => {
    const file = await secretFile(`${SECRET}\n`);
    await using it = await runReceiver({
      redisUrl: inject('redisUrl'),
      environment: { CLIENT_STATE_SECRETS: `file:${file.path}` },
    });
    await it.untilReady();
    const signedWith = (secret: string) => signClientState([secret], TENANT, 'nonce-of-rotation');
    const forgedOf = (n: number) =>
      it.lines.filter((line) => line.includes('"notification.forged"')).length === n;
    const send = (secret: string, event: string) =>
      post(`${it.url}/events`, collection(change({ clientState: signedWith(secret) }, { event })));

    await send(NEW_SECRET, 'too-early');
    await eventually(() => forgedOf(1));
    const load = startLoad(it, 'rotating', 4);
    await file.put(`${NEW_SECRET},${SECRET}`);
    await it.process.waitForLine((line) => line.includes('"secret.replaced"'));
    await send(NEW_SECRET, 'in-time');
    await load.stop();
    const stored = await it.takeStored();
    expect(new Set(load.statuses)).toEqual(new Set([202]));
    expect(lostOf(load.accepted, stored)).toEqual([]);
    expect(lostOf(new Set(['in-time']), stored)).toEqual([]);
    expect(lostOf(new Set(['too-early']), stored)).toEqual(['too-early']);

    await file.put(NEW_SECRET);
    await eventually(() => it.lines.filter((line) => line.includes('"secret.replaced"')).length === 2);
    await send(SECRET, 'too-late');
    await eventually(() => forgedOf(2));
    expect(it.lines.join()).not.toContain(NEW_SECRET);
  });

  it('ends with 1 and names setting and reference where the file is not there', async () => {
    const running = await runReceiver({
      redisUrl: inject('redisUrl'),
      environment: { CLIENT_STATE_SECRETS: 'file:/nowhere/secrets' },
    }).catch((error: unknown) => error);
    expect(String(running)).toContain('CLIENT_STATE_SECRETS: file:/nowhere/secrets cannot be read (ENOENT)');
  });
});
