import { createHash } from 'node:crypto';
import { eventually } from '@graph2kafka/test-harness';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bodyCases } from './cases/bodies.ts';
import { handshakeCases } from './cases/handshakes.ts';
import { propertyCases } from './cases/properties.ts';
import { requestCases } from './cases/requests.ts';
import { changed, collection } from './graph-posts.ts';
import { problemsOf } from './harmless.ts';
import type { HostileCase } from './hostile-case.ts';
import { bytesOf, exchange } from './raw-answer.ts';
import { type ReceiverUnderTest, severeOf, startReceiverUnderTest } from './receiver-under-test.ts';
import { countOf } from './stored-news.ts';

const all = [...handshakeCases, ...requestCases, ...bodyCases, ...propertyCases];

const repeatedOf = (texts: readonly string[]) =>
  texts.flatMap((text, index) => (texts.indexOf(text) < index ? [index] : []));

/** What an input alone can earn: the others need a load, a dead Redis or a client that goes away. */
const EARNED = 18;

describe('the named cases', () => {
  it('are at least 250, each another request, and earn every code that an input can earn', () => {
    expect(new Set(all.map(({ code }) => code).filter(Boolean)).size).toBe(EARNED);
    expect(all.length).toBeGreaterThanOrEqual(250);
    const names = all.map(({ name }) => name);
    expect(repeatedOf(names).map((index) => names[index])).toEqual([]);
    const requests = all.map(({ post }) => createHash('sha256').update(bytesOf(post)).digest('hex'));
    expect(repeatedOf(requests).map((index) => all[index]?.name)).toEqual([]);
  });
});

describe('the receiver', () => {
  let receiver: ReceiverUnderTest;
  beforeAll(async () => {
    receiver = await startReceiverUnderTest(inject('redisUrl'));
  });
  afterAll(async () => {
    await receiver[Symbol.asyncDispose]();
  });

  async function expectAnswer({ post, status, code, text, effect }: HostileCase): Promise<void> {
    const answer = await exchange(receiver.port, bytesOf(post), post.method === 'HEAD');
    const stored = await receiver.takeStored();
    const said = answer.body.toString('utf8');
    expect({ status: answer.status, said }).toEqual({ status, said: expectedBody(code, text) });
    expect(problemsOf(answer, text !== undefined)).toEqual([]);
    const unreadable = stored.filter(({ kind }) => kind === 'unreadable');
    expect({
      stored: countOf(stored, ({ kind }) => kind !== 'unreadable'),
      deadLettered: countOf(unreadable, () => true),
    }).toEqual({ stored: effect.stored, deadLettered: effect.deadLettered });
    for (const { reason } of unreadable) expect(reason).toMatch(effect.why ?? /^nothing$/);
  }

  function expectedBody(code: string | undefined, text: string | undefined): unknown {
    if (code === undefined || code === '') return text ?? '';
    return expect.stringMatching(new RegExp(`^\\{"code":"${code}","error":"[^<>]+"\\}$`));
  }

  it.each(all.map((one) => [one.name, one] as const))('answers as it should: %s', (_name, one) =>
    expectAnswer(one),
  );

  it('has logged no error, still accepts, and ends in order', async () => {
    const answer = await exchange(receiver.port, bytesOf({ body: collection(changed()) }));
    expect(answer.status).toBe(202);
    await eventually(async () => expect((await receiver.takeStored()).length).toBe(1));
    expect(severeOf(receiver.lines)).toEqual([]);
    await receiver.end();
  });
});
