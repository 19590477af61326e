import { connect } from 'node:net';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { change, collection } from './notifications.ts';
import { get, post, send } from './post.ts';
import { runReceiver } from './running-receiver.ts';

/** Bytes sent as they are; what comes back until the other side closes. */
function exchange(port: number, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(answer));
  return promise;
}

/** What tells which software answers, and in which version. */
const FINGERPRINT = /^(server|x-powered-by|via|x-aspnet-version|x-runtime|etag):/im;

describe('every answer', () => {
  it('protects, and gives no software away, whatever was asked', async () => {
    await using it = await runReceiver({
      redisUrl: inject('redisUrl'),
      environment: { ALLOWED_SOURCE_NETWORKS: '127.0.0.0/8' },
    });
    await it.untilReady();
    const answers = await Promise.all([
      it.post(),
      post(`${it.url}/events`, 'no json'),
      post(`${it.url}/events`, collection(change()), { 'content-type': 'text/plain' }),
      send(`${it.url}/events?validationToken=x`, {}),
      get(`${it.url}/events`),
      get(`${it.url}/nowhere`),
      get(`${it.url}/healthz`),
      get(`${it.url}/readyz`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([202, 400, 415, 200, 405, 404, 200, 200]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'strict-transport-security': expect.stringContaining('max-age='),
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'referrer-policy': 'no-referrer',
      });
      const lines = Object.keys(headers).map((name) => `${name}:`);
      expect(lines.join('\n')).not.toMatch(FINGERPRINT);
    }
  });

  it('of the listener itself, to what is no HTTP, too long or too slow, gives no software away either', async () => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl') });
    const port = Number(new URL(it.url).port);
    const raw = await Promise.all([
      exchange(port, 'no http at all\r\n\r\n'),
      exchange(port, `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`),
      exchange(port, 'POST /events HTTP/1.1\r\nHost: x\r\n'),
    ]);
    expect(raw.map((text) => text.split('\r\n')[0])).toEqual([
      'HTTP/1.1 400 Bad Request',
      'HTTP/1.1 431 Request Header Fields Too Large',
      'HTTP/1.1 408 Request Timeout',
    ]);
    for (const text of raw) {
      expect(text).not.toMatch(FINGERPRINT);
      expect(text.split('\r\n\r\n')[1]).toBe('');
    }
    await eventually(async () => (await get(`${it.url}/healthz`)).status === 200);
  });
});
