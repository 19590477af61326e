/**
 * Secrets, tokens and contents are planted in every place where the product meets some, and searched in all that it
 * shows or keeps: log, Redis with its jobs, answers, pages, metrics; on good ways and bad ones. Kafka's records are
 * where contents belong, and are not searched.
 */
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPatient, signClientState } from '@graph2kafka/shared';
import { eventually, KafkaBroker, RedisServer } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { findCanaries, type Places } from './canary-search.ts';
import { dumpRedis } from './redis-content.ts';
import { readPages } from './shown-pages.ts';

const SECRETS = {
  signing: 'canary-signing-secret-9f1c',
  literal: 'canary-literal-state-5d20',
  client: 'canary-client-secret-77aa',
  redis: 'canary-redis-password-03be',
  admin: 'canary-admin-password-c41d',
  token: 'canary-token-of-the-login-1e8f',
};

/** Parts of notifications, events and requests; each use adds something of its own. */
const CONTENT = 'canary-content-';

async function startServers() {
  const dir = await mkdtemp(join(tmpdir(), 'canaries-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const redis = await RedisServer.start({ dir: join(dir, 'redis') });
  onTestFinished(async () => void (await redis.kill9()));
  const kafka = await KafkaBroker.start({ dir: join(dir, 'kafka') });
  onTestFinished(async () => void (await kafka.stop()));
  // Connected before there is a password, and let be: it needs none.
  const reader = connectPatient(redis.url, () => undefined);
  onTestFinished(() => reader.disconnect());
  await reader.config('SET', 'requirepass', SECRETS.redis);
  return { redis, kafka, reader, redisUrl: redis.url.replace('//', `//:${SECRETS.redis}@`) };
}

/** Bearer tokens of all requests that this process, which holds the simulated Graph, has seen. */
function watchTokens(): ReadonlySet<string> {
  const tokens = new Set<string>();
  const note: ChannelListener = (started) => {
    const { authorization = '' } = (started as { request: IncomingMessage }).request.headers;
    if (authorization.startsWith('Bearer ')) tokens.add(authorization.slice('Bearer '.length));
  };
  subscribe('http.server.request.start', note);
  onTestFinished(() => void unsubscribe('http.server.request.start', note));
  return tokens;
}

async function start(servers: Awaited<ReturnType<typeof startServers>>): Promise<Pipeline> {
  const both = { CLIENT_STATE_SECRETS: SECRETS.signing, LOG_LEVEL: 'trace' };
  return startPipeline({
    users: 2,
    redisUrl: servers.redisUrl,
    brokers: servers.kafka.brokers,
    simulator: { clientSecret: SECRETS.client },
    receiver: {
      ...both,
      CLIENT_STATES_ACCEPTED: SECRETS.literal,
      METRICS_PORT: '0',
      METRICS_HOST: '127.0.0.1',
    },
    worker: { ...both, ADMIN_PASSWORD: SECRETS.admin },
  });
}

type Sent = { readonly path?: string; readonly body?: string; readonly headers?: Record<string, string> };

/** Everything that somebody may send to the receiver, planted through and through. */
function requestsOf({ simulator }: Pipeline, user: string): Sent[] {
  const { tenantId } = simulator;
  const signed = signClientState([SECRETS.signing], tenantId, 'canary-nonce');
  const item = (changes: object = {}) => ({
    subscriptionId: 'c6126aa3-0ed8-412f-a988-71e6cee627c4',
    tenantId,
    clientState: signed,
    changeType: 'updated',
    resource: `Users/${user}/Events/e1`,
    resourceData: { '@odata.type': '#Microsoft.Graph.Event', id: 'e1', subject: `${CONTENT}data` },
    subject: `${CONTENT}subject`,
    body: { content: `${CONTENT}body` },
    ...changes,
  });
  const post = (value: readonly unknown[], more: object = {}) => ({
    body: JSON.stringify({ value, ...more }),
  });
  return [
    post([item()]),
    post([item({ clientState: SECRETS.literal })]),
    post([item({ clientState: `${CONTENT}forged` }), item({ changeType: 5, clientState: signed })]),
    post([item({ encryptedContent: { data: `${CONTENT}data`, dataKey: `${CONTENT}key` } })]),
    post([item()], { validationTokens: [`${CONTENT}validation`] }),
    post([item({ resource: undefined, lifecycleEvent: `${CONTENT}event`.slice(0, 5) })]),
    post([item({ changeType: { canary: `${CONTENT}type` } })]),
    { body: `${CONTENT}no-json` },
    { body: JSON.stringify({ value: `${CONTENT}value` }) },
    { body: '{}', headers: { 'content-type': `text/${CONTENT}type` } },
    { path: `/events?validationToken=${CONTENT}handshake%0a`, body: '' },
    { path: `/events?validationToken=${CONTENT}one&validationToken=${CONTENT}two`, body: '' },
    {
      path: `/${CONTENT}path?q=${CONTENT}query`,
      body: '',
      headers: { authorization: `Bearer ${CONTENT}bearer` },
    },
  ];
}

async function postAll(pipeline: Pipeline, user: string): Promise<string> {
  const answers: string[] = [];
  for (const { path = '/events', body = '', headers = {} } of requestsOf(pipeline, user)) {
    const response = await fetch(`${pipeline.services.receiver.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    answers.push(`${response.status} ${[...response.headers].join('\n')} ${await response.text()}`);
  }
  return answers.join('\n');
}

const logged = ({ log }: Pipeline, message: string) =>
  log.filter((line) => line.includes(`"${message}"`)).length;

/** By the log: a reader of the topic does not outlive its broker. */
const isPublished = ({ log }: Pipeline, key: string) =>
  log.some((line) => line.includes('"record.published"') && line.includes(key));

/** An event whose subject and body are planted. */
function create({ simulator }: Pipeline, nthUser: number, text: string): string {
  return simulator.calendar.create(simulator.users()[nthUser]?.id ?? '', {
    subject: `${CONTENT}${text}`,
    body: { contentType: 'html', content: `${CONTENT}${text}-body` },
  }).path.key;
}

/** Graph refuses or fails, and Kafka is away for a while. */
async function failAtGraphAndKafka(pipeline: Pipeline, kafka: KafkaBroker): Promise<void> {
  const { simulator } = pipeline;
  for (const status of [500, 403]) {
    const body = { error: { code: 'x' }, more: `${CONTENT}answer` };
    const failing = simulator.faults.add({ method: 'GET', path: /\/events\//, status, body });
    const key = create(pipeline, 0, `status-${status}`);
    await eventually(() => isPublished(pipeline, key), { timeoutMs: 30_000 });
    expect(failing.hits).toBe(1);
  }
  await kafka.stop();
  const key = create(pipeline, 0, 'kafka-away');
  await eventually(() => logged(pipeline, 'record.not-published') > 0, { timeoutMs: 30_000 });
  await kafka.restart();
  await eventually(() => isPublished(pipeline, key), { timeoutMs: 60_000 });
}

/** A token that Graph does not know, then a login that repeats the secret in its refusal. */
async function failAtLogin(pipeline: Pipeline): Promise<void> {
  const { faults } = pipeline.simulator;
  const path = /\/oauth2\/v2\.0\/token$/;
  const granted = { access_token: SECRETS.token, token_type: 'Bearer', expires_in: 3600 };
  const refused = { error: 'invalid_client', error_description: `AADSTS7000215: ${SECRETS.client}` };
  faults.add({ method: 'GET', path: /\/events\//, status: 401 });
  faults.add({ path, status: 200, body: granted });
  faults.add({ path, status: 401, body: refused });
  const before = logged(pipeline, 'resource.not-fetched');
  create(pipeline, 0, 'unauthorized');
  await eventually(() => logged(pipeline, 'resource.not-fetched') > before);
  create(pipeline, 1, 'unauthorized');
  // Not at once: a tenant whose token is refused is left alone for a while.
  await eventually(() => pipeline.log.join().includes('AADSTS7000215'), { timeoutMs: 60_000 });
}

describe('secrets, tokens and contents', () => {
  it('show in no log, key of Redis, job, answer, page or metric, also where much goes wrong', async () => {
    const servers = await startServers();
    const tokens = watchTokens();
    const pipeline = await start(servers);
    const { simulator } = pipeline;
    const user = simulator.users()[0]?.id ?? '';

    const answers = await postAll(pipeline, user);
    const early = { redis: await dumpRedis(servers.reader), pages: await readPages(pipeline, SECRETS.admin) };
    await failAtGraphAndKafka(pipeline, servers.kafka);
    await failAtLogin(pipeline);
    const places: Places = {
      answers,
      'redis early': early.redis,
      'pages early': early.pages,
      redis: await dumpRedis(servers.reader),
      pages: await readPages(pipeline, SECRETS.admin),
      log: pipeline.log.join('\n'),
    };

    const states = simulator.subscriptions.list().map(({ clientState }) => clientState ?? '');
    const canaries = [
      ...Object.values(SECRETS),
      CONTENT,
      ...states,
      ...states.map((state) => state.split('.')[2] ?? ''),
      ...tokens,
    ];
    expect(states.length).toBe(2);
    expect(tokens.size).toBeGreaterThan(1);
    expect([...tokens]).toContain(SECRETS.token);
    expect(
      findCanaries(
        places,
        canaries.filter((canary) => canary !== ''),
      ),
    ).toEqual([]);
    // What is known to be there is found: the search looks at the right places.
    for (const place of ['redis', 'redis early', 'pages', 'log'])
      expect(findCanaries({ place: places[place] ?? '' }, [user]), place).toHaveLength(1);
    expect(places.answers).toContain('not-json');
    for (const line of [
      'notification.forged',
      'record.published',
      'record.not-published',
      'resource.not-fetched',
    ])
      expect(logged(pipeline, line), line).toBeGreaterThan(0);
  }, 180_000);
});
