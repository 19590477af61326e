import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { change, collection, forged, lifecycle, SUBSCRIPTION, TENANT, USER } from './notifications.ts';
import { type Answer, get, post, send } from './post.ts';
import { type ServedApp, serveApp } from './serve-app.ts';

const OWNER = `${TENANT}/users/${USER}`;
const paths = ['/events', '/lifecycle'];

/** What holds for every answer, whatever was asked. */
function isHarmless({ headers, text, status }: Answer): void {
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['content-type'] ?? '').not.toContain('html');
  expect(text).not.toMatch(/<html|<!doctype|\bat .*:\d+:\d+|node_modules/i);
  expect(headers['x-powered-by']).toBeUndefined();
  expect([200, 202, 400, 404, 405, 413, 415, 503]).toContain(status);
}

async function expectNothingStored(it: ServedApp): Promise<void> {
  expect(await it.takeStored()).toEqual({ owners: [], jobs: [], resources: [], count: 0 });
}

describe('the handshake', () => {
  const sentence = 'Validation: Testing client application reachability for subscription Request-Id: 5b1f';
  const validate = (it: ServedApp, query: string, path = '/events') =>
    send(`${it.url}${path}?${query}`, { headers: { 'content-type': 'text/plain; charset=utf-8' } });

  it.each(paths)(
    'is answered on %s with 200, the token as text/plain and nosniff, to the byte',
    async (path) => {
      await using it = await serveApp();
      const answer = await validate(it, `validationToken=${encodeURIComponent(sentence)}`, path);
      isHarmless(answer);
      expect(answer.status).toBe(200);
      expect(answer.body.equals(Buffer.from(sentence))).toBe(true);
      expect(answer.headers['content-type']).toMatch(/^text\/plain; charset=utf-8$/);
      expect(answer.headers['content-length']).toBe(String(sentence.length));
    },
  );

  it.each([
    ['spaces as +', 'a+b++c', 'a b  c'],
    ['spaces as %20', 'a%20b', 'a b'],
    ['a plus sign', 'a%2Bb', 'a+b'],
    ['what was encoded twice, decoded once', '%2541', '%41'],
    ['other characters', '%26%3D%23%3F%25', '&=#?%'],
    ['UTF-8', '%C3%BC%20%E6%BC%A2', 'ü 漢'],
    [
      'markup, which is text and nothing else',
      '%3Cscript%3Ealert(1)%3C/script%3E',
      '<script>alert(1)</script>',
    ],
    ['JSON', '%7B%22a%22%3A1%7D', '{"a":1}'],
    ['a percent sign that encodes nothing', '100%', '100%'],
    ['a token with another parameter before it', 'x&code=y', 'x'],
  ])('decodes %s', async (_what, encoded, decoded) => {
    await using it = await serveApp();
    const answer = await validate(it, `sig=1&validationToken=${encoded}`);
    expect([answer.status, answer.text]).toEqual([200, decoded]);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it.each([
    ['repeated', 'validationToken=a&validationToken=b'],
    ['repeated and equal', 'validationToken=a&validationToken=a'],
    ['empty', 'validationToken='],
    ['without a value', 'validationToken'],
    ['over 2 kB', `validationToken=${'x'.repeat(2049)}`],
    ['with a line break', 'validationToken=a%0D%0ASet-Cookie:x'],
    ['with a null', 'validationToken=a%00'],
  ])('is answered with 400 where the token is %s, without repeating it', async (_what, query) => {
    await using it = await serveApp();
    const answer = await validate(it, query);
    isHarmless(answer);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.text).not.toContain('xxx');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each(['validationToken[]=a', 'validationToken[a]=b', 'ValidationToken=a', 'token=a'])(
    'is not what %s asks for',
    async (query) => {
      await using it = await serveApp();
      expect((await validate(it, query)).status).toBe(415);
    },
  );

  it('is answered also with a body, which is not looked at', async () => {
    await using it = await serveApp();
    const answer = await post(`${it.url}/events?validationToken=abc`, collection(change()));
    expect([answer.status, answer.text]).toEqual([200, 'abc']);
    await expectNothingStored(it);
  });

  it('is answered while Redis is not to be had', async () => {
    await using it = await serveApp({
      refusal: () => 'away',
      store: () => Promise.reject(new Error('away')),
    });
    expect((await validate(it, 'validationToken=abc')).status).toBe(200);
  });

  it('leaves the token out of the log', async () => {
    await using it = await serveApp();
    await validate(it, 'validationToken=canary-token');
    expect(it.logged.of('handshake.answered')).toHaveLength(1);
    expect(it.logged.lines.join()).not.toContain('canary');
  });
});

describe('accepted items', () => {
  it.each(paths)(
    'are answered on %s with 202 and no content, once they are stored with a job',
    async (path) => {
      await using it = await serveApp();
      const answer = await post(`${it.url}${path}`, collection(change(), lifecycle('missed')));
      isHarmless(answer);
      expect([answer.status, answer.text]).toEqual([202, '']);
      const stored = await it.takeStored();
      expect(stored.owners).toEqual([`${TENANT}/subscriptions/${SUBSCRIPTION}`, OWNER]);
      expect(stored.jobs).toEqual(stored.owners);
      expect(stored.resources.map(({ resource }) => resource).toSorted()).toEqual([
        'lifecycle/missed',
        `users/${USER}/events/e1`,
      ]);
    },
  );

  it('are stored with the time at which they came', async () => {
    await using it = await serveApp({ now: () => 1_795_000_000_000 });
    await post(`${it.url}/events`, collection(change()));
    expect((await it.takeStored()).resources[0]?.entries).toMatchObject([
      { firstReceivedAt: 1_795_000_000_000 },
    ]);
  });

  it('are answered with 202 beside forged ones, which are dropped', async () => {
    await using it = await serveApp();
    const answer = await post(`${it.url}/events`, collection(forged({}), change(), forged({ resource: 1 })));
    expect(answer.status).toBe(202);
    const { count, jobs } = await it.takeStored();
    expect([count, jobs]).toEqual([1, [OWNER]]);
    expect(it.logged.of('notification.forged')).toMatchObject([{ items: 3, accepted: 1, forged: 2 }]);
  });

  it('may be none', async () => {
    await using it = await serveApp();
    expect((await post(`${it.url}/events`, collection())).status).toBe(202);
    await expectNothingStored(it);
  });

  it('may be a thousand, of as many mailboxes', async () => {
    await using it = await serveApp();
    const items = Array.from({ length: 1000 }, (_, n) => change({}, { user: `user-${n}`, event: `e${n}` }));
    expect((await post(`${it.url}/events`, collection(...items))).status).toBe(202);
    const stored = await it.takeStored();
    expect([stored.count, stored.owners.length]).toEqual([1000, 1000]);
    expect(stored.jobs).toEqual(stored.owners);
  });

  it('of many POSTs at once are all stored', async () => {
    await using it = await serveApp();
    const posts = Array.from({ length: 200 }, (_, n) =>
      post(`${it.url}/events`, collection(change({}, { user: `user-${n % 10}`, event: `e${n}` }))),
    );
    expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(new Set([202]));
    expect((await it.takeStored()).count).toBe(200);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('may come as %s', async (encoding, compress) => {
    await using it = await serveApp();
    const body = compress(collection(change()));
    const answer = await post(`${it.url}/events`, body, { 'content-encoding': encoding });
    expect(answer.status).toBe(202);
    expect((await it.takeStored()).count).toBe(1);
  });

  it.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json; charset="utf-8"',
    'application/json;charset=utf8',
    'application/json; odata.metadata=minimal; charset=utf-8',
    'application/json; charset=utf-8; odata.metadata=minimal',
  ])('may come as %s', async (contentType) => {
    await using it = await serveApp();
    const answer = await post(`${it.url}/events`, collection(change()), { 'content-type': contentType });
    expect(answer.status).toBe(202);
    expect((await it.takeStored()).count).toBe(1);
  });
});

describe('forged items', () => {
  it.each([
    ['a guessed clientState', forged()],
    ['none', change({ clientState: undefined })],
    ['an array of a good one', change({ clientState: [change().clientState] })],
    ["another tenant's", change({ tenantId: '11111111-2222-3333-4444-555555555555' })],
    ['a lifecycle event and a guess', { ...lifecycle(), clientState: 'guessed' }],
  ])('are answered with 202, dropped, counted, and logged without the value: %s', async (_what, item) => {
    await using it = await serveApp();
    const answer = await post(`${it.url}/events`, collection(item));
    isHarmless(answer);
    expect([answer.status, answer.text]).toEqual([202, '']);
    await expectNothingStored(it);
    expect(it.logged.of('notification.forged')).toMatchObject([{ items: 1, accepted: 0, forged: 1 }]);
    expect(it.logged.lines.join()).not.toMatch(/guessed|v1\./);
  });

  it('tell an attacker nothing: their answer is that of a good one', async () => {
    await using it = await serveApp();
    const good = await post(`${it.url}/events`, collection(change()));
    const bad = await post(`${it.url}/events`, collection(forged()));
    const comparable = ({ status, text, headers }: Answer) => ({ status, text, ...headers, date: '' });
    expect(comparable(bad)).toEqual(comparable(good));
  });

  it('do not need Redis', async () => {
    await using it = await serveApp({ refusal: () => 'away' });
    expect((await post(`${it.url}/events`, collection(forged()))).status).toBe(202);
  });
});

describe('verified items that cannot be understood', () => {
  it.each([
    ['a resource of another host', { resource: 'https://evil.example/users/1', resourceData: null }],
    ['a resource that climbs', { resource: '../me', resourceData: null }],
    ['two owners', { resourceData: { '@odata.id': 'users/other/events/e' } }],
    ['an unknown change', { changeType: 'renamed' }],
    ['no resource', { resource: undefined }],
    ['a lone surrogate', { resource: 'users/\ud800', resourceData: null }],
  ])('are answered with 202 and stored for the dead letters: %s', async (_what, changes) => {
    await using it = await serveApp();
    expect((await post(`${it.url}/events`, collection(change(changes)))).status).toBe(202);
    const stored = await it.takeStored();
    expect(stored.resources).toMatchObject([{ entries: [{ news: { kind: 'unreadable' } }] }]);
    expect(stored.jobs).toEqual(stored.owners);
    expect(it.logged.of('notification.stored')).toMatchObject([{ accepted: 1, unreadable: 1 }]);
  });
});

describe('a body of the wrong kind', () => {
  it.each([
    ['none', undefined],
    ['text/plain', 'text/plain'],
    ['text/json', 'text/json'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['JSON of another kind', 'application/json-patch+json'],
    ['a charset that is not UTF-8', 'application/json; charset=utf-16'],
    ['latin-1', 'application/json; charset=iso-8859-1'],
    ['UTF-7', 'application/json; charset=utf-7'],
    ['a charset that begins like UTF-8', 'application/json; charset=utf-81'],
    ['two charsets', 'application/json; charset=utf-16; charset=utf-8'],
    ['nonsense', ';;;'],
  ])('is answered with 415: %s', async (_what, contentType) => {
    await using it = await serveApp();
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    const answer = await send(`${it.url}/events`, { body: collection(change()), headers });
    isHarmless(answer);
    expect(answer.status).toBe(415);
    await expectNothingStored(it);
  });

  it.each(['compress', 'identity, gzip', 'x-nonsense'])(
    'is answered with 415 in encoding %s',
    async (encoding) => {
      await using it = await serveApp();
      const answer = await post(`${it.url}/events`, collection(change()), { 'content-encoding': encoding });
      isHarmless(answer);
      expect(answer.status).toBe(415);
    },
  );
});

describe('a body that is too large', () => {
  it('is answered with 413', async () => {
    await using it = await serveApp({ maxBodyBytes: 10_000 });
    const fits = collection(change({ more: 'x'.repeat(8000) }));
    expect((await post(`${it.url}/events`, fits)).status).toBe(202);
    const answer = await post(`${it.url}/events`, collection(change({ more: 'x'.repeat(10_000) })));
    isHarmless(answer);
    expect(answer.status).toBe(413);
    expect((await it.takeStored()).count).toBe(1);
  });

  it.each(['gzip', 'deflate'])('is answered with 413 if only inflation makes it so: %s', async (encoding) => {
    await using it = await serveApp();
    const bomb = `{"value":["${'x'.repeat(100_000_000)}"]}`;
    const body = encoding === 'gzip' ? gzipSync(bomb) : deflateSync(bomb);
    expect(body.length).toBeLessThan(200_000);
    const answer = await post(`${it.url}/events`, body, { 'content-encoding': encoding });
    isHarmless(answer);
    expect(answer.status).toBe(413);
    expect(answer.ms).toBeLessThan(3000);
  });

  it('is answered with 413 if it is made of too many items', async () => {
    await using it = await serveApp();
    const answer = await post(`${it.url}/events`, `{"value":[${'{},'.repeat(3_000_000)}{}]}`);
    isHarmless(answer);
    expect(answer.status).toBe(413);
    expect(answer.ms).toBeLessThan(3000);
  });
});

describe('items that cannot be stored', () => {
  const failing = { store: () => Promise.reject(new Error('canary: Redis said no')) };

  it('are answered with 503 and Retry-After', async () => {
    await using it = await serveApp(failing);
    const answer = await post(`${it.url}/events`, collection(change()));
    isHarmless(answer);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '10']);
    expect(answer.text).not.toContain('canary');
    expect(it.logged.of('notification.not-stored')).toMatchObject([
      { accepted: 1, err: { message: 'canary: Redis said no' } },
    ]);
  });

  it('are not even tried while the gate refuses', async () => {
    let tried = 0;
    const store = async () => void tried++;
    await using it = await serveApp({ store, refusal: () => 'Redis uses 70 % of its memory or more' });
    const answer = await post(`${it.url}/events`, collection(change()));
    expect([answer.status, answer.headers['retry-after'], tried]).toEqual([503, '10', 0]);
  });

  it('are answered within two seconds even if Redis never answers', async () => {
    await using it = await serveApp({ store: () => new Promise(() => undefined) });
    const answer = await post(`${it.url}/events`, collection(change()));
    expect(answer.status).toBe(503);
    expect(answer.ms).toBeLessThan(2500);
  });

  it('are answered with 503 if something of ours breaks, without saying what', async () => {
    const store = () => {
      throw new TypeError('canary');
    };
    await using it = await serveApp({ store });
    const answer = await post(`${it.url}/events`, collection(change()));
    isHarmless(answer);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '10']);
    expect(answer.text).not.toContain('canary');
  });
});

describe('other requests', () => {
  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'of /events by %s are answered with 405',
    async (method) => {
      await using it = await serveApp();
      const answer = await send(`${it.url}/events?validationToken=a`, { method });
      isHarmless(answer);
      expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    },
  );

  it.each([
    '/',
    '/queues',
    '/metrics',
    '/events/1',
    '/..%2f',
    '/%ff',
    '/%00',
    '/healthz/x',
    '/favicon.ico',
    '/%3Cscript%3E',
  ])('of %s are answered with 404 or 400, and no markup', async (path) => {
    await using it = await serveApp();
    const answer = await send(`${it.url}${path}`, { method: 'GET' });
    isHarmless(answer);
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toContain('<');
  });
});

describe('health', () => {
  it('is alive, and ready while Redis takes writes', async () => {
    await using it = await serveApp();
    expect([(await get(`${it.url}/healthz`)).status, (await get(`${it.url}/readyz`)).status]).toEqual([
      200, 200,
    ]);
  });

  it.each([
    ['the gate refuses', { refusal: () => 'Redis is away' }, 'Redis is away'],
    [
      'Redis takes no write',
      { probeStorage: () => Promise.reject(new Error('canary')) },
      'Redis does not take writes',
    ],
    ['the receiver is stopping', { isStopping: () => true }, 'stopping'],
  ])('is alive and not ready while %s', async (_what, deps, reason) => {
    await using it = await serveApp(deps);
    const ready = await get(`${it.url}/readyz`);
    isHarmless(ready);
    expect([ready.status, JSON.parse(ready.text)]).toEqual([503, { status: 'not ready', reason }]);
    expect((await get(`${it.url}/healthz`)).status).toBe(200);
  });
});
