/** What hostile input becomes further on: forged items cause nothing at all, odd ones of ours end as dead letters. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostilePaths } from '../../packages/shared/test/hostile-paths.ts';
import { type SeenEvent, startPipeline } from '../support/pipeline.ts';
import { changed, collection, type Item, LITERAL, lifecycle } from './graph-posts.ts';

const odd: readonly (readonly [what: string, item: Item])[] = [
  ['a lone surrogate in the resource', changed({ resource: 'users/\ud800/events/1', resourceData: null })],
  ['a lone surrogate in the version', changed({ resourceData: { '@odata.etag': 'W/"\udfff"' } })],
  ['a null character in its id', changed({ id: 'a\0b' })],
  [
    'a pair of surrogates at the place where the path is cut',
    changed({ resource: `${'x'.repeat(199)}😀`, resourceData: null }),
  ],
  ['a number for a subscription', changed({ subscriptionId: 1 })],
  ['a lone surrogate in the subscription', changed({ subscriptionId: '\ud800' })],
  ['a lone surrogate in the event of its life', lifecycle({ lifecycleEvent: 'missed\ud800' })],
  ['a text that Lua could take for a pattern', changed({ resource: '%w%s%%(', resourceData: null })],
  ['the name of a key of ours', changed({ resource: '#seq', resourceData: null })],
  ['an address of another host', changed({ resource: 'https://evil.example/users/1', resourceData: null })],
];

describe('through the whole way', () => {
  it('every odd item of ours becomes a dead letter, forged ones nothing, and Graph is asked for none', async () => {
    const { simulator, services, events, deadLetters, log, drained } = await startPipeline({
      receiver: { CLIENT_STATES_ACCEPTED: LITERAL },
    });
    await drained();
    const before = simulator.requests.filter(isRead).length;
    const send = (...items: readonly Item[]) =>
      fetch(`${services.receiver.url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: collection(...items.map((item) => ({ ...item, tenantId: simulator.tenantId }))),
      });
    for (const [, item] of odd) expect((await send({ ...item, clientState: LITERAL })).status).toBe(202);
    const forged = changed({ clientState: 'v1.guessed.guessed' });
    expect((await send(...Array<Item>(100).fill(forged))).status).toBe(202);
    // Those that say no more than each other are one letter.
    const notified = () => deadLetters().reduce((sum, letter) => sum + (letter.notificationcount ?? 0), 0);
    await eventually(() => expect(notified()).toBe(odd.length));
    await drained();
    expect(deadLetters().filter((letter) => !readable(letter))).toEqual([]);
    expect(events()).toEqual([]);
    expect(simulator.requests.filter(isRead).length).toBe(before);
    expect(log.filter((line) => /run\.failed|run\.stalled|request\.failed|waker\.failed/.test(line))).toEqual(
      [],
    );
  });
});

describe('a text that would lead elsewhere', () => {
  it('leads nowhere from any field that names a resource, and takes no token along', async () => {
    const canary = await startCanary();
    const { simulator, services, eventsOf, deadLetters, log, drained } = await startPipeline({
      receiver: { CLIENT_STATES_ACCEPTED: LITERAL },
    });
    await drained();
    const user = simulator.users()[0]?.id ?? '';
    const { path } = simulator.calendar.create(user, { subject: 'meant' });
    // What has no such id would be waited for: Graph may not know it yet.
    const unknown = /^\/v1\.0\/users\/[^/]+\/events\/(?!AA)/;
    simulator.faults.add({ method: 'GET', path: unknown, status: 403, times: Number.POSITIVE_INFINITY });
    const texts = hostilePaths.map((text) => text.replaceAll('evil.example', canary.host));
    const items = texts.flatMap((text) => [
      changed({ resource: text, resourceData: null }),
      changed({ resource: text, resourceData: { '@odata.id': text, id: text } }),
      changed({ resource: path.key, resourceData: { '@odata.id': text, id: text } }),
      changed({ resource: `users/${user}/events`, resourceData: { id: text } }),
    ]);
    for (let at = 0; at < items.length; at += 50) {
      const part = items.slice(at, at + 50).map((item) => ({
        ...item,
        clientState: LITERAL,
        tenantId: simulator.tenantId,
      }));
      const answer = await fetch(`${services.receiver.url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: collection(...part),
      });
      expect(answer.status).toBe(202);
    }
    await drained();
    await eventually(() => expect(deadLetters().length).toBeGreaterThan(0));
    await eventually(() => expect(eventsOf(path.key).length).toBeGreaterThan(0));
    expect(texts.length).toBeGreaterThan(100);
    const meant = [
      /\/(oauth2\/v2\.0\/token|openid-configuration|discovery\/instance)(\?|$)/,
      /^\/v1\.0\/(\$batch|subscriptions(\?.*)?)$/,
      new RegExp(`^/v1\\.0/users/${user}/events(/[^/]+|\\?.*)?$`),
    ];
    const others = simulator.requests.filter(({ path }) => !meant.some((form) => form.test(path)));
    expect(others).toEqual([]);
    expect(canary.connections).toBe(0);
    expect(log.filter((line) => /run\.failed|run\.stalled|request\.failed/.test(line))).toEqual([]);
  });
});

/** Where no connection should ever come from. */
async function startCanary(): Promise<{ readonly host: string; readonly connections: number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
  };
}

/** A GET of a resource; tokens and subscriptions are asked for without anybody's post. */
function isRead({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return method === 'GET' && !path.includes('subscriptions');
}

/** A reader that knows no halves of characters can read it. */
function readable({ record }: SeenEvent): boolean {
  const texts: string[] = [];
  JSON.parse(record.value ?? '', (_name, value) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts.length > 0 && texts.every((text) => text.isWellFormed());
}
