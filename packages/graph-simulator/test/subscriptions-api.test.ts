import { describe, expect, it } from 'vitest';
import { GraphSimulator, type GraphSimulatorOptions } from '../src/index.ts';
import { type CallOptions, connectTo } from './graph-caller.ts';
import { echo, type ReceiverOptions, startReceiver } from './notification-receiver.ts';
import { subscribe, subscriptionRequest } from './subscribe.ts';
import { makeSubscriberKey, richWish } from './subscriber.ts';

const MINUTE_MS = 60_000;

async function setup(options: GraphSimulatorOptions = {}, receiverOptions: ReceiverOptions = {}) {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start(options));
  const receiver = stack.use(await startReceiver(receiverOptions));
  const graph = stack.use(await connectTo(simulator));
  const userId = simulator.users()[0]?.id ?? '';
  const request = subscriptionRequest(userId, receiver.url, options.now?.());
  const create = (more: Record<string, unknown> = {}, call: CallOptions = {}) =>
    graph.call('POST', '/subscriptions', { body: { ...request, ...more }, ...call });
  return {
    simulator,
    receiver,
    graph,
    userId,
    request,
    create,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('creating a subscription', () => {
  it('asks the endpoint with a token that must be decoded, then answers 201 with all properties', async () => {
    await using it = await setup();
    const { status, body } = await it.create();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      resource: `users/${it.userId}/events`,
      applicationId: it.simulator.clientId,
      changeType: 'created,updated,deleted',
      clientState: 'a secret of the app',
      lifecycleNotificationUrl: null,
      includeResourceData: null,
      latestSupportedTlsVersion: 'v1_2',
    });
    expect(body.expirationDateTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    const [validation] = it.receiver.validations;
    expect(validation?.contentType).toBe('text/plain; charset=utf-8');
    expect(validation?.body).toBe('');
    expect(validation?.url).toMatch(/validationToken=Validation%3A\+Testing\+/);
  });

  it('keeps the query of the notificationUrl in the handshake', async () => {
    await using it = await setup();
    await it.create({ notificationUrl: `${it.receiver.url}?code=a%20b` });
    expect(it.receiver.validations[0]?.url).toMatch(/^\/events\?code=a%20b&validationToken=/);
  });

  it('asks a lifecycleNotificationUrl apart, even if it is the same', async () => {
    await using it = await setup();
    const { status } = await it.create({ lifecycleNotificationUrl: it.receiver.url });
    expect(status).toBe(201);
    expect(it.receiver.validations).toHaveLength(2);
  });

  it.each<[string, NonNullable<ReceiverOptions['validate']>]>([
    ['202', (token, response) => response.writeHead(202, { 'content-type': 'text/plain' }).end(token)],
    ['another text', (_token, response) => echo('no', response)],
    ['the token still encoded', (token, response) => echo(encodeURIComponent(token), response)],
    ['JSON', (token, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(token)],
    ['a redirect', (_token, response) => response.writeHead(302, { location: '/' }).end()],
  ])('is refused with ValidationError when the handshake is answered with %s', async (_what, validate) => {
    await using it = await setup({}, { validate });
    const { status, body } = await it.create();
    expect(status).toBe(400);
    expect(body.error.code).toBe('ValidationError');
    expect(body.error.message).toContain('200 OK');
    expect(it.simulator.subscriptions.size).toBe(0);
  });

  it('is refused with InvalidRequest when the endpoint does not answer in time', async () => {
    await using it = await setup({ handshakeTimeoutMs: 60 }, { validate: () => undefined });
    const { status, body } = await it.create();
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining('timed out'),
    });
  });

  it('is refused when nothing listens at the endpoint', async () => {
    await using it = await setup();
    const { status, body } = await it.create({ notificationUrl: 'http://127.0.0.1:9/events' });
    expect(status).toBe(400);
    expect(body.error.code).toBe('ValidationError');
  });

  it.each<[string, Record<string, unknown>, string, RegExp]>([
    ['without changeType', { changeType: undefined }, 'InvalidRequest', /changeType/],
    ['without notificationUrl', { notificationUrl: undefined }, 'InvalidRequest', /notificationUrl/],
    ['without resource', { resource: undefined }, 'InvalidRequest', /resource/],
    ['without expirationDateTime', { expirationDateTime: undefined }, 'InvalidRequest', /expirationDateTime/],
    ['with an unknown changeType', { changeType: 'created,moved' }, 'InvalidRequest', /Invalid 'changeType'/],
    [
      'to created users',
      { resource: 'users', changeType: 'created' },
      'InvalidRequest',
      /Invalid 'changeType'/,
    ],
    ['to an unknown resource', { resource: 'users/u/dreams' }, 'InvalidRequest', /not supported/],
    ['to me', { resource: 'me/events' }, 'BadRequest', /delegated/],
    ['with a bad URL', { notificationUrl: 'no url' }, 'InvalidRequest', /notificationUrl/],
    ['with a long clientState', { clientState: 'x'.repeat(129) }, 'InvalidRequest', /128/],
    ['that has expired', { expirationDateTime: '2020-01-01T00:00:00Z' }, 'InvalidRequest', /future/],
    [
      'with a date without offset',
      { expirationDateTime: '2099-01-01T00:00:00' },
      'InvalidRequest',
      /Invalid/,
    ],
  ])('%s is refused with 400', async (_what, more, code, text) => {
    await using it = await setup();
    const { status, body } = await it.create(more);
    expect(status).toBe(400);
    expect(body.error.code).toBe(code);
    expect(body.error.message).toMatch(text);
    expect(it.receiver.validations).toHaveLength(0);
  });

  it('refuses plain http when it is to be as strict as Graph', async () => {
    await using it = await setup({ allowHttpNotificationUrls: false });
    const { status, body } = await it.create();
    expect(status).toBe(400);
    expect(body.error.message).toContain('HTTPS');
  });

  it('refuses an Outlook life of more than 10,070 minutes in the words of the live service', async () => {
    await using it = await setup();
    const at = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString();
    const { status, body } = await it.create({ expirationDateTime: at(10_080) });
    expect(status).toBe(400);
    expect(body.error.code).toBe('ExtensionError');
    expect(body.error.message).toBe('Subscription expiration can only be 10070 minutes in the future.');
    expect((await it.create({ expirationDateTime: at(10_069) })).status).toBe(201);
  });

  it.each([
    ['users/{user}/messages', 10_070],
    ["users/{user}/mailFolders('inbox')/messages", 10_070],
    ['users', 41_760],
    ['groups/g/members', 41_760],
    ['drives/d/root', 42_300],
    ['sites/s/lists/l', 42_300],
    ['security/alerts', 43_200],
    ['communications/callRecords', 4_230],
    ['users/{user}/todo/lists/l/tasks', 4_230],
    ['chats/c/messages', 4_320],
    ['communications/presences/p', 60],
  ])('grants %s at most %i minutes', async (resource, minutes) => {
    const nowMs = Date.now();
    await using it = await setup({ now: () => nowMs });
    const wish = (wished: number) => ({
      resource: resource.replace('{user}', it.userId),
      changeType: 'updated',
      lifecycleNotificationUrl: it.receiver.url,
      expirationDateTime: new Date(nowMs + wished * MINUTE_MS).toISOString(),
    });
    const refused = await it.create(wish(minutes + 1));
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain(`can only be ${minutes} minutes`);
    expect((await it.create(wish(minutes))).status).toBe(201);
  });

  it('grants Outlook a day where resource data is to come along, on PATCH too', async () => {
    const nowMs = Date.now();
    const key = await makeSubscriberKey();
    await using it = await setup({ now: () => nowMs });
    const at = (minutes: number) => ({
      expirationDateTime: new Date(nowMs + minutes * MINUTE_MS).toISOString(),
    });
    const wish = richWish(key, `users/${it.userId}/events?$select=subject`);
    expect((await it.create({ ...wish, ...at(1_441) })).body.error.message).toContain('1440 minutes');
    const { body, status } = await it.create({ ...wish, ...at(1_440) });
    expect(status).toBe(201);
    const patched = await it.graph.call('PATCH', `/subscriptions/${body.id}`, { body: at(1_441) });
    expect(patched.body.error.message).toContain('1440 minutes');
  });

  it('is refused where the lifecycle address alone does not answer as it must', async () => {
    const validate: ReceiverOptions['validate'] = (token, response) =>
      echo(response.req.url?.startsWith('/lifecycle') ? 'no' : token, response);
    await using it = await setup({}, { validate });
    const lifecycleNotificationUrl = it.receiver.url.replace('/events', '/lifecycle');
    const { status, body } = await it.create({ lifecycleNotificationUrl });
    expect([status, body.error.code]).toEqual([400, 'ValidationError']);
    expect(it.receiver.validations.map(({ url }) => url.split('?', 1)[0])).toEqual(['/events', '/lifecycle']);
    expect(it.simulator.subscriptions.size).toBe(0);
  });

  it('refuses what belongs to notifications of a browser', async () => {
    await using it = await setup();
    const { status, body } = await it.create({ vapidPublicKey: 'key' });
    expect(status).toBe(400);
    expect(body.error.message).toContain('vapidPublicKey');
  });

  it('raises a life under 45 minutes silently', async () => {
    const nowMs = Date.now();
    await using it = await setup({ now: () => nowMs });
    const { status, body } = await it.create({
      expirationDateTime: new Date(nowMs + MINUTE_MS).toISOString(),
    });
    expect(status).toBe(201);
    expect(Date.parse(body.expirationDateTime)).toBe(nowMs + 45 * MINUTE_MS);
  });

  it('answers 409 for the same resource and changeType, in whatever order', async () => {
    await using it = await setup();
    const first = await it.create();
    const { status, body } = await it.create({ changeType: 'deleted,updated,created' });
    expect(status).toBe(409);
    expect(body.error.message).toContain(first.body.id);
    expect((await it.create({ changeType: 'updated' })).status).toBe(201);
  });

  it('wants a lifecycle URL for a Teams resource that lives over an hour', async () => {
    await using it = await setup();
    const expirationDateTime = new Date(Date.now() + 61 * MINUTE_MS).toISOString();
    const { status, body } = await it.create({ resource: 'chats/c/messages', expirationDateTime });
    expect(status).toBe(400);
    expect(body.error.message).toContain('lifecycleNotificationUrl');
  });

  it('wants one for its renewal over an hour too', async () => {
    await using it = await setup();
    const at = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString();
    const { body } = await it.create({ resource: 'chats/c/messages', expirationDateTime: at(59) });
    const renew = (minutes: number) =>
      it.graph.call('PATCH', `/subscriptions/${body.id}`, { body: { expirationDateTime: at(minutes) } });
    expect((await renew(61)).body.error.message).toContain('lifecycleNotificationUrl');
    expect((await renew(59)).status).toBe(200);
  });

  it('answers broken JSON and no JSON with 400 in the error shape', async () => {
    await using it = await setup();
    const headers = { 'content-type': 'application/json' };
    for (const body of ['{"changeType":', '[]', '']) {
      const answer = await it.graph.call('POST', '/subscriptions', { body, headers });
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe('BadRequest');
    }
  });
});

describe('reading subscriptions', () => {
  it('lists them page by page through nextLink', async () => {
    await using it = await setup({ subscriptionsPageSize: 2, users: 5 });
    for (const { id } of it.simulator.users()) await subscribe(it.graph, id, it.receiver.url);
    const sizes: number[] = [];
    const seen = new Set<string>();
    for (let url = '/subscriptions'; url !== ''; ) {
      const { body } = await it.graph.call('GET', url);
      sizes.push(body.value.length);
      for (const { id } of body.value) seen.add(id);
      url = body['@odata.nextLink'] ?? '';
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(seen.size).toBe(5);
  });

  it.each(['$top', '$filter', '$select', '$count'])('refuses %s', async (option) => {
    await using it = await setup();
    expect((await it.graph.call('GET', `/subscriptions?${option}=1`)).status).toBe(400);
  });

  it('shows an app its own ones only', async () => {
    await using it = await setup();
    const credentials = { clientId: '11111111-1111-4111-8111-111111111111', clientSecret: 'other' };
    it.simulator.addApplication(credentials);
    await using other = await connectTo(it.simulator, credentials);
    const { id } = await subscribe(it.graph, it.userId, it.receiver.url);
    expect((await other.call('GET', '/subscriptions')).body.value).toEqual([]);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? { expirationDateTime: it.request.expirationDateTime } : undefined;
      expect((await other.call(method, `/subscriptions/${id}`, { body })).status).toBe(404);
    }
    expect((await it.graph.call('GET', `/subscriptions/${id}`)).body.id).toBe(id);
  });
});

describe('the life of a subscription', () => {
  it('is prolonged by PATCH, without a new handshake', async () => {
    await using it = await setup();
    const { id } = await subscribe(it.graph, it.userId, it.receiver.url);
    const expirationDateTime = new Date(Date.now() + 120 * MINUTE_MS).toISOString();
    const { status, body } = await it.graph.call('PATCH', `/subscriptions/${id}`, {
      body: { expirationDateTime },
    });
    expect(status).toBe(200);
    expect(Date.parse(body.expirationDateTime)).toBe(Date.parse(expirationDateTime));
    expect(it.receiver.validations).toHaveLength(1);
  });

  it('refuses a PATCH that names neither updatable property, or a fixed one', async () => {
    await using it = await setup();
    const { id } = await subscribe(it.graph, it.userId, it.receiver.url);
    const { expirationDateTime } = it.request;
    for (const body of [
      {},
      { resource: 'users' },
      { expirationDateTime: 'tomorrow' },
      { expirationDateTime, lifecycleNotificationUrl: it.receiver.url },
      { expirationDateTime, includeResourceData: true },
    ]) {
      expect((await it.graph.call('PATCH', `/subscriptions/${id}`, { body })).status).toBe(400);
    }
  });

  it('ends at its expiry: 404 on PATCH, nothing sent any more, and a line in the change log', async () => {
    let nowMs = Date.now();
    await using it = await setup({ now: () => nowMs, tokenLifetimeSeconds: 86_400 });
    const created = await it.create();
    nowMs += 61 * MINUTE_MS;
    const body = { expirationDateTime: new Date(nowMs + 60 * MINUTE_MS).toISOString() };
    const { status, body: error } = await it.graph.call('PATCH', `/subscriptions/${created.body.id}`, {
      body,
    });
    expect(status).toBe(404);
    expect(error.error.code).toBe('ResourceNotFound');
    it.simulator.life.step();
    await it.simulator.notifier.idle();
    expect(it.receiver.posts).toEqual([]);
    const actions = it.simulator.changeLog.ofKind('subscription').map(({ action }) => action);
    expect(actions).toEqual(['created', 'expired']);
  });

  it('ends by DELETE with 204, and 404 the second time', async () => {
    await using it = await setup();
    const { id } = await subscribe(it.graph, it.userId, it.receiver.url);
    expect((await it.graph.call('DELETE', `/subscriptions/${id}`)).status).toBe(204);
    expect((await it.graph.call('DELETE', `/subscriptions/${id}`)).status).toBe(404);
  });

  it('is reauthorized with 204 and lives no longer for it', async () => {
    await using it = await setup();
    const { id, expirationDateTime } = await subscribe(it.graph, it.userId, it.receiver.url);
    expect((await it.graph.call('POST', `/subscriptions/${id}/reauthorize`)).status).toBe(204);
    const after = await it.graph.call('GET', `/subscriptions/${id}`);
    expect(after.body.expirationDateTime).toBe(expirationDateTime);
    expect((await it.graph.call('POST', '/subscriptions/none/reauthorize')).status).toBe(404);
  });
});
