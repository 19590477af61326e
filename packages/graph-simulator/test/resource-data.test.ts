import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe, subscriptionRequest } from './subscribe.ts';
import { decrypt, makeSubscriberKey, richWish, type SubscriberKey, subscribeRich } from './subscriber.ts';

let key: SubscriberKey;
let otherKey: SubscriberKey;
let longKey: SubscriberKey;
let shortKey: SubscriberKey;

beforeAll(async () => {
  [key, otherKey, longKey, shortKey] = await Promise.all([
    makeSubscriberKey(),
    makeSubscriberKey(),
    makeSubscriberKey(4096),
    makeSubscriberKey(1024),
  ]);
}, 60_000);

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5, retryBaseMs: 10 } }));
  const graph = stack.use(await connectTo(simulator));
  const receiver = stack.use(await startReceiver());
  const user = simulator.users()[0]?.id ?? '';
  const ask = (more: Record<string, unknown>) => {
    const body = { ...subscriptionRequest(user, receiver.url), ...more };
    return graph.call('POST', '/subscriptions', { body });
  };
  const items = async () => {
    await simulator.notifier.idle();
    return receiver.items();
  };
  return { simulator, graph, receiver, user, ask, items, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a subscription with resource data', () => {
  it('shows what it was made with, and takes keys of 2,048 to 4,096 bits', async () => {
    await using it = await setup();
    const resource = `users/${it.user}/events?$select=subject`;
    const made = await it.ask(richWish(longKey, resource));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      resource,
      includeResourceData: true,
      encryptionCertificate: longKey.certificate,
      encryptionCertificateId: 'first-key',
    });
    const { status } = await it.ask(richWish(key, `users/${it.user}/contacts?$select=displayName`));
    expect(status).toBe(201);
  });

  it.each([
    ['events without $select', 'users/me-id/events', {}, '$select'],
    ['an empty $select', 'users/me-id/events?$select=', {}, '$select'],
    ['the body', 'users/me-id/messages?$select=subject,Body', {}, '$select=body'],
    ['the unique body', 'users/me-id/messages?$select=uniqueBody', {}, '$select=uniquebody'],
    ['$top', 'users/me-id/events?$select=subject&$top=5', {}, '$top'],
    ['$skip', 'users/me-id/events?$select=subject&$skip=5', {}, '$skip'],
    ['$orderby', 'users/me-id/events?$select=subject&$orderby=subject', {}, '$orderby'],
    ['another $expand', 'users/me-id/events?$select=subject&$expand=attachments', {}, '$expand=attachments'],
    ['$select in Teams', 'chats/19:a@thread.v2/messages?$select=body', {}, '$select'],
    ['a kind that has none', 'users', {}, 'does not support'],
    ['no certificate', 'users/me-id/events?$select=subject', { encryptionCertificate: null }, 'is required'],
    ['no label', 'users/me-id/events?$select=subject', { encryptionCertificateId: null }, 'is required'],
    ['an empty label', 'users/me-id/events?$select=subject', { encryptionCertificateId: '' }, '1 to 128'],
    [
      'a long label',
      'users/me-id/events?$select=subject',
      { encryptionCertificateId: 'x'.repeat(129) },
      '1 to 128',
    ],
    ['a PEM', 'users/me-id/events?$select=subject', { encryptionCertificate: '-----BEGIN' }, 'base64'],
    ['no X.509', 'users/me-id/events?$select=subject', { encryptionCertificate: 'AAAA' }, 'not an X.509'],
  ])('is refused with %s', async (_what, path, more, text) => {
    await using it = await setup();
    const resource = path.replace('me-id', it.user);
    const change = resource === 'users' ? { changeType: 'updated' } : {};
    const { status, body } = await it.ask({ ...richWish(key, resource), ...change, ...more });
    expect([status, body.error?.code]).toEqual([400, 'InvalidRequest']);
    expect(body.error.message).toContain(text);
    expect(it.receiver.validations).toEqual([]);
  });

  it('is refused with a short key or one that is not RSA', async () => {
    await using it = await setup();
    const resource = `users/${it.user}/events?$select=subject`;
    expect((await it.ask(richWish(shortKey, resource))).body.error.message).toContain('has 1024 bits');
    const { cert } = await generate([{ name: 'commonName', value: 'EC' }], {
      keyType: 'ec',
      algorithm: 'sha256',
    });
    const certificate = new X509Certificate(cert).raw.toString('base64');
    const { body } = await it.ask({ ...richWish(key, resource), encryptionCertificate: certificate });
    expect(body.error.message).toContain('must be an RSA key');
  });

  it('may expand extended properties', async () => {
    await using it = await setup();
    const expand = "singleValueExtendedProperties($filter=id eq 'a,b'),multiValueExtendedProperties";
    const resource = `users/${it.user}/events?$select=subject&$expand=${expand}`;
    expect((await it.ask(richWish(key, resource))).status).toBe(201);
  });
});

describe('a notification with resource data', () => {
  it('of Outlook has what was selected, with OData notes, and no id', async () => {
    await using it = await setup();
    await subscribeRich(it.graph, it.user, it.receiver.url, key);
    const start = { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' };
    const { path } = it.simulator.calendar.create(it.user, { subject: 'Budget review', start });
    const [item] = await it.items();
    expect(item).toMatchObject({ changeType: 'created', resourceData: { id: path.segments[1]?.id } });
    const { body } = await it.graph.call('GET', `/${path.key}`);
    expect(JSON.parse(decrypt(item.encryptedContent, key))).toEqual({
      'lastModifiedDateTime@odata.type': '#DateTimeOffset',
      lastModifiedDateTime: body.lastModifiedDateTime,
      subject: 'Budget review',
      'importance@odata.type': '#microsoft.graph.importance',
      importance: body.importance,
      start: { '@odata.type': '#microsoft.graph.dateTimeTimeZone', ...start },
      organizer: {
        '@odata.type': '#microsoft.graph.recipient',
        emailAddress: { '@odata.type': '#microsoft.graph.emailAddress', ...body.organizer.emailAddress },
      },
    });
  });

  it('names the certificate, and uses a key of its own', async () => {
    await using it = await setup();
    await subscribeRich(it.graph, it.user, it.receiver.url, key);
    it.simulator.calendar.create(it.user, { subject: 'One' });
    it.simulator.calendar.create(it.user, { subject: 'Two' });
    const [one, two] = (await it.items()).map(({ encryptedContent }) => encryptedContent);
    expect(one).toMatchObject({
      encryptionCertificateId: 'first-key',
      encryptionCertificateThumbprint: key.thumbprint,
    });
    expect(one.dataKey).not.toBe(two.dataKey);
    expect(one.data).not.toBe(two.data);
  });

  it('of a deletion in a mailbox has no content, but the token', async () => {
    await using it = await setup();
    await subscribeRich(it.graph, it.user, it.receiver.url, key, { changeType: 'deleted' });
    const { path } = it.simulator.calendar.create(it.user, { subject: 'Gone' });
    it.simulator.calendar.remove(path.key);
    const [item] = await it.items();
    expect([item.changeType, item.encryptedContent]).toEqual(['deleted', undefined]);
    expect(it.receiver.posts[0]?.validationTokens).toHaveLength(1);
  });

  it('of Teams has the whole object', async () => {
    await using it = await setup();
    const chat = "chats('19:a@thread.v2')/messages";
    await subscribe(it.graph, it.user, it.receiver.url, richWish(key, chat));
    const body = { id: '1700000000001', body: { contentType: 'text', content: 'Hello' } };
    it.simulator.resources.create('chats/19:a@thread.v2/messages/1700000000001', body);
    const [item] = await it.items();
    const stored = it.simulator.resources.get('chats/19:a@thread.v2/messages/1700000000001')?.body;
    expect(stored).toMatchObject(body);
    expect(JSON.parse(decrypt(item.encryptedContent, key))).toEqual(stored);
  });

  it('is encrypted with the new certificate after a PATCH, and a bad one changes nothing', async () => {
    await using it = await setup();
    const { id } = await subscribeRich(it.graph, it.user, it.receiver.url, key);
    const expirationDateTime = new Date(Date.now() + 7_200_000).toISOString();
    const patch = (body: Record<string, unknown>) =>
      it.graph.call('PATCH', `/subscriptions/${id}`, { body: { expirationDateTime, ...body } });
    expect((await patch({ encryptionCertificate: shortKey.certificate })).status).toBe(400);
    expect((await patch({ encryptionCertificateId: '' })).status).toBe(400);
    it.simulator.calendar.create(it.user, { subject: 'Before' });
    const [before] = await it.items();
    const rotated = { encryptionCertificate: otherKey.certificate, encryptionCertificateId: 'second-key' };
    expect((await patch(rotated)).body).toMatchObject(rotated);
    it.simulator.calendar.create(it.user, { subject: 'After' });
    const after = (await it.items()).at(-1);
    expect(JSON.parse(decrypt(before.encryptedContent, key)).subject).toBe('Before');
    expect(JSON.parse(decrypt(after.encryptedContent, otherKey)).subject).toBe('After');
    expect(after.encryptedContent.encryptionCertificateId).toBe('second-key');
    expect(() => decrypt(after.encryptedContent, key)).toThrow();
  });

  it('is missing where none was asked for', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url);
    it.simulator.calendar.create(it.user, { subject: 'Plain' });
    const [item] = await it.items();
    expect(item.encryptedContent).toBeUndefined();
    expect(it.receiver.posts[0]).not.toHaveProperty('validationTokens');
  });
});
