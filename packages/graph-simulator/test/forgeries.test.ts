import { createPublicKey, createVerify, type JsonWebKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Forgery, GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';
import { decrypt, makeSubscriberKey, type SubscriberKey, subscribeRich, verifyToken } from './subscriber.ts';

let key: SubscriberKey;

beforeAll(async () => {
  key = await makeSubscriberKey();
}, 60_000);

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5 } }));
  const graph = stack.use(await connectTo(simulator));
  const receiver = stack.use(await startReceiver({ answer: () => 401 }));
  const user = simulator.users()[0]?.id ?? '';
  await subscribeRich(graph, user, receiver.url, key);
  const forged = async (forge: Forgery) => {
    simulator.faults.add({ on: 'delivery', forge });
    simulator.calendar.create(user, { subject: 'A meeting' });
    await simulator.notifier.idle();
    const post = receiver.posts.at(-1);
    return { post, item: post?.items[0], token: post?.validationTokens?.[0] ?? '' };
  };
  const isSignedByPublishedKey = async (token: string) => {
    const { body } = await graph.raw('GET', '/common/discovery/keys');
    const [head, claims, signature = ''] = token.split('.');
    const publicKey = createPublicKey({ key: body.keys[0] as JsonWebKey, format: 'jwk' });
    const verify = createVerify('sha256').update(`${head}.${claims}`);
    return verify.verify(publicKey, signature, 'base64url');
  };
  return {
    simulator,
    graph,
    receiver,
    user,
    forged,
    isSignedByPublishedKey,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a forged notification', () => {
  it('goes once and alone in the place of the true one, whatever the answer', async () => {
    await using it = await setup();
    await it.forged('expired');
    expect(it.receiver.posts.map(({ items }) => items.length)).toEqual([1]);
    expect(it.simulator.state().notifications).toMatchObject({ forged: 1, delivered: 0, pending: 0 });
    expect(it.simulator.changeLog.ofKind('delivery')).toEqual([]);
    expect(it.simulator.faults.inflicted).toMatchObject([
      { effect: 'forge expired', subject: expect.stringMatching(/^created users\//) },
    ]);
  });

  it('can come beside the true one', async () => {
    await using it = await setup();
    await using receiver = await startReceiver();
    await subscribeRich(it.graph, it.simulator.users()[1]?.id ?? '', receiver.url, key);
    it.simulator.faults.add({ on: 'delivery', forge: 'no-tokens', duplicate: true });
    it.simulator.calendar.create(it.simulator.users()[1]?.id ?? '', { subject: 'A meeting' });
    await it.simulator.notifier.idle();
    expect(receiver.posts.map(({ validationTokens }) => validationTokens?.length ?? 0).sort()).toEqual([
      0, 1,
    ]);
  });

  it('about tokens or content needs an item with resource data; one about clientState does not', async () => {
    await using it = await setup();
    await using receiver = await startReceiver();
    const other = it.simulator.users()[1]?.id ?? '';
    await subscribe(it.graph, other, receiver.url);
    const expired = it.simulator.faults.add({ on: 'delivery', forge: 'expired' });
    it.simulator.faults.add({ on: 'delivery', forge: 'wrong-client-state' });
    it.simulator.faults.add({ on: 'delivery', forge: 'no-client-state' });
    for (let i = 0; i < 3; i += 1) {
      it.simulator.calendar.create(other, { subject: 'Plain' });
      await it.simulator.notifier.idle();
    }
    const states = receiver.items().map(({ clientState }) => clientState);
    expect(states).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), undefined, 'a secret of the app']);
    expect(expired.hits).toBe(0);
  });
});

describe('a forged token', () => {
  it.each([
    ['alg-none', 'none', false],
    ['hs256', 'HS256', false],
    ['wrong-kid', 'RS256', false],
    ['foreign-key', 'RS256', false],
    ['foreign-tenant', 'RS256', true],
    ['foreign-audience', 'RS256', true],
    ['foreign-publisher', 'RS256', true],
    ['foreign-issuer', 'RS256', true],
    ['expired', 'RS256', true],
    ['not-yet-valid', 'RS256', true],
  ] as const)('of kind %s convinces nobody', async (forge, alg, isSigned) => {
    await using it = await setup();
    const { token, item } = await it.forged(forge);
    expect(decodeProtectedHeader(token).alg).toBe(alg);
    expect(await it.isSignedByPublishedKey(token)).toBe(isSigned);
    await expect(verifyToken(it.graph, it.simulator, token)).rejects.toThrow();
    // Nothing else is wrong with it.
    expect(JSON.parse(decrypt(item.encryptedContent, key)).subject).toBe('A meeting');
  });

  it('is wrong in nothing but what its kind names', async () => {
    await using it = await setup();
    const published = (await it.graph.raw('GET', '/common/discovery/keys')).body.keys[0].kid;
    const kid = async (forge: Forgery) => decodeProtectedHeader((await it.forged(forge)).token).kid;
    expect(await kid('foreign-key')).toBe(published);
    expect(await kid('hs256')).toBe(published);
    expect(await kid('wrong-kid')).not.toBe(published);
    const right = { aud: it.simulator.clientId, tid: it.simulator.tenantId };
    const claims = async (forge: Forgery) => decodeJwt((await it.forged(forge)).token);
    const foreign = await claims('foreign-tenant');
    expect(foreign.iss).toBe(`https://sts.windows.net/${foreign.tid}/`);
    expect(foreign.tid).not.toBe(right.tid);
    expect(await claims('foreign-publisher')).toMatchObject(right);
    expect(await claims('expired')).toMatchObject(right);
    expect((await claims('not-yet-valid')).nbf).toBeGreaterThan(Date.now() / 1000 + 3_600);
  });

  it('can be null, be absent, or hide behind 9,999 others', async () => {
    await using it = await setup();
    expect((await it.forged('null-tokens')).post?.validationTokens).toBeNull();
    expect((await it.forged('no-tokens')).post).not.toHaveProperty('validationTokens');
    const many = (await it.forged('many-tokens')).post?.validationTokens ?? [];
    expect(many).toHaveLength(10_000);
    await verifyToken(it.graph, it.simulator, many.at(-1) ?? '');
    await expect(verifyToken(it.graph, it.simulator, many[0] ?? '')).rejects.toThrow();
  });
});

describe('forged content', () => {
  it.each([
    ['tampered-data', 'signature'],
    ['tampered-key', ''],
    ['tampered-signature', 'signature'],
  ] as const)('of kind %s cannot be read', async (forge, text) => {
    await using it = await setup();
    const { token, item } = await it.forged(forge);
    await verifyToken(it.graph, it.simulator, token);
    expect(() => decrypt(item.encryptedContent, key)).toThrow(text);
  });

  it('of an unknown certificate is right in all but its label', async () => {
    await using it = await setup();
    const { item } = await it.forged('unknown-certificate');
    expect(item.encryptedContent.encryptionCertificateId).not.toBe('first-key');
    expect(JSON.parse(decrypt(item.encryptedContent, key)).subject).toBe('A meeting');
  });
});
