import type { ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo, type GraphCaller } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { answerValidator, hasSamples, samplesFolder, validatorOf } from './openapi-schema.ts';
import { subscribe } from './subscribe.ts';
import { makeSubscriberKey, subscribeRich } from './subscriber.ts';

const EVENT = 'microsoft.graph.event';
const ERROR = 'microsoft.graph.ODataErrors.ODataError';
/** In Graph's answers, though not in its metadata (Graph page "Create subscription", response). */
const SUBSCRIPTION_EXTRAS = ['notificationContentType'];

function expectValid(validate: ValidateFunction, body: unknown): void {
  validate(body);
  expect(validate.errors ?? [], JSON.stringify(body)).toEqual([]);
}

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5 } }));
  const graph = stack.use(await connectTo(simulator));
  const receiver = stack.use(await startReceiver());
  return { simulator, graph, receiver, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function allEvents(simulator: GraphSimulator, graph: GraphCaller): Promise<unknown[]> {
  const pages = simulator.users().map(({ id }) => graph.call('GET', `/users/${id}/events?$top=1000`));
  return (await Promise.all(pages)).flatMap(({ body }) => body.value);
}

if (!hasSamples) {
  // A reporter may hide the names of skipped tests.
  process.stderr.write(
    `Skipped: no openapi-subset.yaml in ${samplesFolder}; GRAPH_SAMPLES names another folder.\n`,
  );
}

describe.skipIf(!hasSamples)('answers validate against the description of Graph', () => {
  it('for events, made by the generator and by POST and PATCH', async () => {
    await using it = await setup();
    for (let i = 0; i < 300; i += 1) it.simulator.life.step();
    const validate = validatorOf(EVENT);
    const events = await allEvents(it.simulator, it.graph);
    expect(events.length).toBeGreaterThan(10);
    for (const event of events) expectValid(validate, event);
    const time = { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' };
    const path = `/users/${it.simulator.users()[0]?.id}/events`;
    const made = await it.graph.call('POST', path, { body: { subject: 'A', start: time, end: time } });
    expectValid(validate, made.body);
    const patched = await it.graph.call('PATCH', `${path}/${made.body.id}`, { body: { isAllDay: true } });
    expectValid(validate, patched.body);
    expectValid(validate, (await it.graph.call('GET', `${path}/${made.body.id}`)).body);
  });

  it('for subscriptions, one and many', async () => {
    await using it = await setup();
    const validate = validatorOf('microsoft.graph.subscription', SUBSCRIPTION_EXTRAS);
    const [user] = it.simulator.users();
    const made = await subscribe(it.graph, user?.id ?? '', it.receiver.url);
    expectValid(validate, made);
    expectValid(validate, (await it.graph.call('GET', `/subscriptions/${made.id}`)).body);
    const { body } = await it.graph.call('GET', '/subscriptions');
    expect(body.value).toHaveLength(1);
    for (const one of body.value) expectValid(validate, one);
    const patch = { expirationDateTime: new Date(Date.now() + 7_200_000).toISOString() };
    expectValid(validate, (await it.graph.call('PATCH', `/subscriptions/${made.id}`, { body: patch })).body);
  });

  it('for change notifications', async () => {
    await using it = await setup();
    for (const { id } of it.simulator.users()) await subscribe(it.graph, id, it.receiver.url);
    for (let i = 0; i < 100; i += 1) it.simulator.life.step();
    await it.simulator.notifier.idle();
    const validate = validatorOf('microsoft.graph.changeNotification');
    expect(it.receiver.items().length).toBeGreaterThanOrEqual(100);
    for (const item of it.receiver.items()) expectValid(validate, item);
  });

  it('for subscriptions and notifications with resource data, and for the whole of a POST', async () => {
    await using it = await setup();
    const key = await makeSubscriberKey();
    const made = await subscribeRich(it.graph, it.simulator.users()[0]?.id ?? '', it.receiver.url, key);
    expectValid(validatorOf('microsoft.graph.subscription', SUBSCRIPTION_EXTRAS), made);
    it.simulator.calendar.create(it.simulator.users()[0]?.id ?? '', { subject: 'A meeting' });
    await it.simulator.notifier.idle();
    const [post] = it.receiver.posts;
    expect(post?.items[0].encryptedContent).toBeDefined();
    expectValid(validatorOf('microsoft.graph.changeNotificationCollection'), {
      value: post?.items,
      validationTokens: post?.validationTokens,
    });
  });

  it.each([
    ['/users/{user-id}/calendarView/delta()', '?startDateTime=2020-01-01&endDateTime=2040-01-01'],
    ['/users/{user-id}/events/delta()', ''],
  ])('for the pages of %s, first and later ones', async (path, query) => {
    await using it = await setup();
    const [user] = it.simulator.users();
    const validatePage = answerValidator(path, 'get');
    const validateItem = validatorOf(EVENT, ['@removed']);
    let url = path.replace('{user-id}', user?.id ?? '') + query;
    let told = 0;
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 300; i += 1) it.simulator.life.step();
      for (let link: string | undefined = url; link !== undefined; ) {
        const { status, body } = await it.graph.call('GET', link);
        expect(status).toBe(200);
        expectValid(validatePage, body);
        for (const item of body.value) expectValid(validateItem, item);
        told += body.value.length;
        url = body['@odata.deltaLink'] ?? url;
        link = body['@odata.nextLink'];
      }
    }
    expect(told).toBeGreaterThan(20);
  });

  it('for a batch, and for what its parts hold', async () => {
    await using it = await setup();
    const [user] = it.simulator.users();
    const { path } = it.simulator.calendar.create(user?.id ?? '', { subject: 'A meeting' });
    const requests = [
      { id: '1', method: 'GET', url: `/${path.key}` },
      { id: '2', method: 'GET', url: '/users/none' },
      { id: '3', method: 'DELETE', url: `/${path.key}`, dependsOn: ['1'] },
    ];
    const { body } = await it.graph.call('POST', '/$batch', { body: { requests } });
    expectValid(answerValidator('/$batch', 'post'), body);
    const part = (id: string) => body.responses.find((one: { id: string }) => one.id === id);
    expectValid(validatorOf(EVENT), part('1').body);
    expectValid(validatorOf(ERROR), part('2').body);
    expect(part('3').status).toBe(204);
  });

  it('for errors, real and made by faults', async () => {
    await using it = await setup();
    const validate = validatorOf(ERROR);
    it.simulator.faults.add({ status: 503, path: /groups/ });
    it.simulator.faults.add({ on: 'consent', resource: 'contacts' });
    const contacts = await it.graph.call('GET', `/users/${it.simulator.users()[0]?.id}/contacts`);
    expectValid(validate, contacts.body);
    for (const path of [
      '/users/none',
      '/users//x',
      '/subscriptions/none',
      '/groups',
      '/users?$filter=x',
      '/users/delta?$deltatoken=x',
      '/$batch',
    ]) {
      const { status, body } = await it.graph.call('GET', path);
      expect(status).toBeGreaterThanOrEqual(400);
      expectValid(validate, body);
    }
    expectValid(validate, (await it.graph.raw('GET', '/v1.0/users')).body);
  });

  it('and the validator can fail', () => {
    const validate = validatorOf(EVENT);
    expect(answerValidator('/$batch', 'post')({ responses: [{ id: '1' }] })).toBe(false);
    expect(validate({ id: 'x', subject: 5 })).toBe(false);
    expect(validate({ id: 'x', start: { dateTime: 9 } })).toBe(false);
    expect(validate({ id: 'x', importance: 'huge' })).toBe(false);
    expect(validate({ id: 'x', colour: 'red' })).toBe(false);
    expect(validate({ id: 'x', lastModifiedDateTime: 'yesterday' })).toBe(false);
    expect(validate({ id: 'x', subject: null, importance: 'high', '@odata.etag': 'W/"x"' })).toBe(true);
  });
});
