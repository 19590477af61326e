/**
 * What rich notifications carry, the tokens that prove them and the keys that open them are searched in all that the
 * product shows or keeps, on good ways and bad ones. In the clear, content is in the records of its topic alone. Until
 * an entry is settled its content lies in Redis as it came, encrypted, with the tokens of its POST: the worker needs
 * both, and a token gives no access to anything. Keys are nowhere.
 */
import { constants, createPrivateKey, privateDecrypt } from 'node:crypto';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPatient } from '@graph2kafka/shared';
import { eventually, LOCAL_ADMIN_PASSWORD, readTopic } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { findCanaries, type Places } from './canary-search.ts';
import { dumpRedis } from './redis-content.ts';
import { readPages } from './shown-pages.ts';

const VECTORS = new URL('../../services/worker/test/rich/vectors/vectors.json', import.meta.url);

/** Part of each subject; those that become records and those that must not. */
const CONTENT = 'canary-rich-content-';

type VectorKey = { readonly privateKey: string; readonly certificate: string };

async function plantKeys() {
  const folder = await mkdtemp(join(tmpdir(), 'canaries-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const keys = JSON.parse(await readFile(VECTORS, 'utf8')) as readonly [VectorKey, VectorKey];
  const [inFolder, inSetting] = keys.map(({ privateKey, certificate }) => privateKey + certificate);
  await writeFile(join(folder, 'in-folder.pem'), inFolder ?? '');
  const setting = `file:${folder}/,in-setting=${Buffer.from(inSetting ?? '').toString('base64')}`;
  // Each line of the base64 is a canary: wherever a part of a key were shown, one of them would be.
  const lines = keys.flatMap(({ privateKey }) => privateKey.split('\n').filter((line) => line.length === 64));
  const privateKey = createPrivateKey(keys[0].privateKey);
  const options = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
  /** None where the simulator has altered it. */
  const keyThat = (dataKey: string): Buffer | undefined => {
    try {
      return privateDecrypt(options, Buffer.from(dataKey, 'base64'));
    } catch {
      return undefined;
    }
  };
  return { folder, setting, lines, keyThat };
}

type RichPost = {
  readonly value: readonly { readonly encryptedContent?: { readonly dataKey: string } }[];
  readonly validationTokens?: readonly string[] | null;
};

/** Rich POSTs that this process, which holds the simulated Graph, has sent. */
function watchPosts(): readonly RichPost[] {
  const posts: RichPost[] = [];
  const note: ChannelListener = (created) => {
    const { body } = (created as { request: { body: unknown } }).request;
    const text = Buffer.isBuffer(body) ? body.toString() : '';
    if (text.includes('"encryptedContent"')) posts.push(JSON.parse(text) as RichPost);
  };
  subscribe('undici:request:create', note);
  onTestFinished(() => void unsubscribe('undici:request:create', note));
  return posts;
}

function start(setting: string): Promise<Pipeline> {
  return startPipeline({
    subscriptions: (users) =>
      JSON.stringify({
        subscriptions: [
          { name: 'rich', resource: 'users/{user}/events', users, rich: true, select: ['subject', 'start'] },
        ],
      }),
    receiver: { LOG_LEVEL: 'trace', METRICS_PORT: '0', METRICS_HOST: '127.0.0.1' },
    worker: { LOG_LEVEL: 'trace', ENCRYPTION_KEYS: setting, ENCRYPTION_CURRENT_KEY: 'in-folder' },
  });
}

const logged = ({ log }: Pipeline, message: string) =>
  log.filter((line) => line.includes(`"message":"${message}"`));

function create({ simulator }: Pipeline, text: string): string {
  return simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: `${CONTENT}${text}` }).path.key;
}

const ALTERED = ['tampered-data', 'tampered-key', 'tampered-signature'] as const;
const UNPROVEN = ['alg-none', 'hs256', 'foreign-audience', 'expired', 'no-tokens', 'null-tokens'] as const;

/** Notifications that become dead letters. */
async function forge(pipeline: Pipeline): Promise<void> {
  const { simulator } = pipeline;
  for (const forgery of [...ALTERED, ...UNPROVEN]) {
    simulator.faults.add({ on: 'delivery', forge: forgery });
    create(pipeline, forgery);
    await simulator.notifier.idle();
  }
  const refused = () => new Set(pipeline.deadLetters().map(({ record }) => record.key)).size;
  await eventually(() => expect(refused()).toBe(ALTERED.length + UNPROVEN.length), { timeoutMs: 20_000 });
}

/** One for a key that is not held: its event, and the certificate that it names. */
async function park(pipeline: Pipeline): Promise<{ readonly key: string; readonly certificate: string }> {
  pipeline.simulator.faults.add({ on: 'delivery', forge: 'unknown-certificate' });
  const key = create(pipeline, 'parked');
  await eventually(() => expect(logged(pipeline, 'content.key-not-held')).not.toEqual([]));
  const [line = '{}'] = logged(pipeline, 'content.key-not-held');
  const { certificate, thumbprint } = JSON.parse(line) as { certificate: string; thumbprint: string };
  expect(thumbprint).toMatch(/^[0-9A-F]{40}$/);
  return { key, certificate };
}

/** What the receiver answers to a POST that repeats a true one, whole, with a foreign clientState, and broken off. */
async function repeat({ services }: Pipeline, post: RichPost): Promise<string> {
  const forged = { ...post, value: post.value.map((item) => ({ ...item, clientState: 'no state of ours' })) };
  const whole = JSON.stringify(post);
  const answers = [whole, JSON.stringify(forged), whole.slice(0, -1)].map(async (body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${services.receiver.url}/events`, { method: 'POST', headers, body });
    return `${answer.status} ${[...answer.headers].join('\n')} ${await answer.text()}`;
  });
  return (await Promise.all(answers)).join('\n');
}

/** Of the tokens the part that makes one a proof; the keys as they came, sealed, and in the clear. */
function plantedIn(posts: readonly RichPost[], { lines, keyThat }: Awaited<ReturnType<typeof plantKeys>>) {
  const tokens = posts.flatMap(({ validationTokens }) => validationTokens ?? []);
  const items = posts.flatMap(({ value }) => value);
  const sealedKeys = items.flatMap(({ encryptedContent }) => encryptedContent?.dataKey ?? []);
  const forms = ['base64', 'base64url', 'hex'] as const;
  const opened = sealedKeys.flatMap((dataKey) => keyThat(dataKey) ?? []);
  return {
    signatures: tokens.map((token) => token.split('.')[2] ?? '').filter((text) => text !== ''),
    sealedKeys,
    keys: [...lines, ...opened.flatMap((key) => forms.map((form) => key.toString(form)))],
  };
}

describe('contents of rich notifications, their tokens and their keys', () => {
  it('show in no log, page, metric, answer or dead letter, and in Redis no longer and no clearer than they came', async () => {
    const planted = await plantKeys();
    const { folder, setting, lines } = planted;
    const posts = watchPosts();
    const pipeline = await start(setting);
    const { stack, eventsOf, drained } = pipeline;
    const redis = connectPatient(stack.redisUrl, () => undefined);
    onTestFinished(() => redis.disconnect());
    const textOf = async (topic: string) =>
      JSON.stringify(await readTopic({ brokers: stack.brokers, topic }));
    const dump = () => dumpRedis(redis, `*${stack.redisPrefix}*`);

    const opened = create(pipeline, 'opened');
    await eventually(() => expect(eventsOf(opened)).not.toEqual([]));
    await forge(pipeline);
    const { key: parkedEvent, certificate: missing } = await park(pipeline);
    await writeFile(join(folder, 'spoiled.pem'), `${CONTENT}spoiled`);
    await eventually(() => expect(logged(pipeline, 'encryption.keys-not-taken')).not.toEqual([]));
    const parked = { redis: await dump(), pages: await readPages(pipeline, LOCAL_ADMIN_PASSWORD) };
    await copyFile(join(folder, 'in-folder.pem'), join(folder, `${missing}.pem`));
    await eventually(() => expect(eventsOf(parkedEvent)).not.toEqual([]), { timeoutMs: 25_000 });
    const answers = await repeat(pipeline, posts[0] as RichPost);
    await drained();
    const { signatures, sealedKeys, keys } = plantedIn(posts, planted);
    await eventually(async () => expect(findCanaries({ redis: await dump() }, signatures)).toEqual([]));
    const letters = await textOf(stack.deadLetterTopic);
    const records = await textOf(stack.topic);
    const places: Places = {
      log: pipeline.log.join('\n'),
      'pages while one waits': parked.pages,
      pages: await readPages(pipeline, LOCAL_ADMIN_PASSWORD),
      answers,
      letters,
      redis: await dump(),
    };
    expect(findCanaries(places, [CONTENT, ...signatures, ...keys, ...sealedKeys])).toEqual([]);
    expect(findCanaries({ 'redis while one waits': parked.redis }, [CONTENT, ...keys])).toEqual([]);
    expect(findCanaries({ records }, [...signatures, ...keys, ...sealedKeys])).toEqual([]);

    // What is known to be there is found: the search looks at the right places, for the right texts.
    expect(posts.length).toBeGreaterThan(ALTERED.length + UNPROVEN.length);
    expect(keys.length).toBeGreaterThan(lines.length + 3 * (posts.length - ALTERED.length));
    expect(findCanaries({ 'redis while one waits': parked.redis }, signatures)).not.toEqual([]);
    expect(findCanaries({ 'redis while one waits': parked.redis }, sealedKeys)).not.toEqual([]);
    expect(findCanaries({ records }, [CONTENT])).toHaveLength(1);
    expect(findCanaries({ setting }, lines)).not.toEqual([]);
    const user = pipeline.simulator.users()[0]?.id ?? '';
    for (const place of ['log', 'pages', 'letters', 'redis'])
      expect(findCanaries({ place: places[place] ?? '' }, [user]), place).toHaveLength(1);
    expect(answers).toContain('not-json');
    for (const line of ['content.refused', 'content.unproven', 'notification.forged'])
      expect(logged(pipeline, line), line).not.toEqual([]);
  }, 120_000);
});
