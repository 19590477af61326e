import { signClientState } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { change, collection, lifecycle, TENANT } from './notifications.ts';
import { ownRedis } from './own-redis.ts';
import { post, send } from './post.ts';
import { runReceiver } from './running-receiver.ts';
import { dumpOf } from './stored.ts';

const signingSecret = 'canary-signing-secret';
const literalState = 'canary-literal-state';
const password = 'canary-password';
const signedState = signClientState([signingSecret], TENANT, 'nonce');

/** What must be found nowhere: every text that is a secret or content begins so, and what is derived from one. */
const canaries = ['canary', signedState, signedState.split('.')[2] ?? ''];

describe('secrets and contents', () => {
  it('are in no line of the log, no key or value of Redis, and no answer, also when things go wrong', async () => {
    await using own = await ownRedis();
    const admin = new Redis(own.server.url);
    admin.on('error', () => undefined);
    await admin.config('SET', 'requirepass', password);
    await using it = await runReceiver({
      redisUrl: own.server.url.replace('//', `//:${password}@`),
      environment: {
        CLIENT_STATE_SECRETS: signingSecret,
        CLIENT_STATES_ACCEPTED: literalState,
        LOG_LEVEL: 'trace',
      },
    });
    await it.untilReady();
    const answers: string[] = [];
    const events = async (body: string, headers = {}) => {
      answers.push((await post(`${it.url}/events`, body, headers)).text);
    };
    const secret = (changes: object = {}) =>
      change({
        clientState: signedState,
        subject: 'canary-subject',
        body: { content: 'canary-body' },
        ...changes,
      });

    await events(collection(secret()));
    await events(
      collection(secret({ clientState: literalState, resourceData: { id: 'e', subject: 'canary-data' } })),
    );
    await events(collection(secret({ encryptedContent: { data: 'canary-content', dataKey: 'canary-key' } })));
    await events(JSON.stringify({ value: [secret()], validationTokens: ['canary-token'] }));
    await events(collection({ ...lifecycle(), clientState: signedState, more: 'canary-more' }));
    await events(collection(secret({ changeType: 'canary-change' })));
    await events(collection(secret({ clientState: 'canary-forged' })));
    await events(`canary-no-json ${collection(secret())}`);
    await events(collection(secret()), { 'content-type': 'text/canary' });
    await events(collection(secret({ more: 'canary'.repeat(2_000_000) })));
    await send(`${it.url}/events?validationToken=canary-token`, {});
    await send(`${it.url}/events?validationToken=canary%0D%0Atoken`, {});
    await send(`${it.url}/canary?canary=1`, { method: 'GET', headers: { authorization: 'Bearer canary' } });

    const stored = await dumpOf(admin, '*');
    expect(stored).toContain(TENANT);
    for (const canary of canaries) expect(stored).not.toContain(canary);

    await admin.config('SET', 'maxmemory', '1');
    await events(collection(secret()));
    await admin.config('SET', 'maxmemory', '0');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await events(collection(secret()));
    await it.untilReady();
    own.server.freeze();
    await events(collection(secret()));
    own.server.thaw();
    await own.server.kill9();
    await events(collection(secret()));
    await eventually(() => it.lines.some((line) => line.includes('"redis.error"')));
    await it.process.stop();
    admin.disconnect();

    expect(it.lines.filter((line) => line.includes('"notification.not-stored"')).length).toBeGreaterThan(1);
    for (const canary of canaries) {
      expect(it.lines.join('\n')).not.toContain(canary);
      expect(answers.join('\n')).not.toContain(canary);
    }
  });
});
