import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '@graph2kafka/test-harness';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ATTACKS, type AttackName, startAttack } from './attacks.ts';
import { changed, collection } from './graph-posts.ts';
import { JSON_TYPE } from './hostile-case.ts';
import { bytesOf, exchange, parseAnswers, untilEnd } from './raw-answer.ts';
import { type ReceiverUnderTest, startReceiverUnderTest } from './receiver-under-test.ts';
import { countOf } from './stored-news.ts';
import { behaveWell } from './well-behaved-client.ts';

const good = bytesOf({ body: collection(changed()) });
const head = 'POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';

/** Sends bytes on one connection, and all that comes until the receiver ends it. */
async function untilClosed(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return await untilEnd(socket);
}

describe('beside an attack, everybody else is answered 202, and the receiver stays well', () => {
  const attacks = Object.keys(ATTACKS) as AttackName[];
  const posts = 40;

  let receiver: ReceiverUnderTest;
  beforeAll(async () => {
    receiver = await startReceiverUnderTest(inject('redisUrl'));
  });
  afterAll(async () => {
    await receiver.end();
  });

  it.each(attacks)('%s', { timeout: 60_000 }, async (name) => {
    await using attack = await startAttack(receiver.port, name);
    expect(attack.opened()).toBeGreaterThan(0);
    let left: number = posts;
    const fared = await behaveWell(receiver.url, 20, () => left-- === 0);
    expect(fared.statuses).toEqual({ 202: posts });
    expect((await fetch(`${receiver.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${receiver.url}/readyz`)).status).toBe(200);
    const stored = await receiver.takeStored();
    expect(stored.filter(({ resource }) => resource.includes('well-behaved')).length).toBe(posts);
    expect(receiver.lines.filter((line) => line.includes('request.failed'))).toEqual([]);
    expect(receiver.process.hasExited).toBe(false);
  });
});

describe('what one client may hold is bounded by the settings', () => {
  it('MAX_CONNECTIONS: one more closes the one that has rested longest', async () => {
    await using receiver = await startReceiverUnderTest(inject('redisUrl'), { MAX_CONNECTIONS: '20' });
    await using attack = await startAttack(receiver.port, 'kept connections');
    await eventually(() => attack.open() <= 20);
    expect((await exchange(receiver.port, good)).status).toBe(202);
  });

  it('MAX_REQUESTS_IN_FLIGHT: a request beyond it is answered 503 before its body is read, health is not', async () => {
    await using receiver = await startReceiverUnderTest(inject('redisUrl'), {
      MAX_REQUESTS_IN_FLIGHT: '1',
    });
    const posts = await Promise.all(Array.from({ length: 200 }, () => exchange(receiver.port, good)));
    const busy = posts.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    for (const { headers, body } of busy) {
      expect(headers['retry-after']).toBe('10');
      expect(JSON.parse(body.toString())).toMatchObject({ code: 'busy' });
    }
    expect(posts.filter(({ status }) => status === 202).length).toBe(posts.length - busy.length);
    expect(countOf(await receiver.takeStored(), () => true)).toBe(posts.length - busy.length);
    expect((await exchange(receiver.port, good)).status).toBe(202);
  });

  it('MAX_BYTES_IN_FLIGHT: a body beyond it costs the one that has been sending longest', async () => {
    await using receiver = await startReceiverUnderTest(inject('redisUrl'), {
      MAX_BODY_BYTES: '100000',
      MAX_BYTES_IN_FLIGHT: '150000',
    });
    const [oldest, second] = [await beginBody(receiver.port, 90_000), await beginBody(receiver.port, 90_000)];
    const refused = untilEnd(oldest);
    for (const socket of [oldest, second]) socket.write(' '.repeat(80_000));
    expect(await refused).toMatch(/^HTTP\/1\.1 503 .*\{"code":"busy"/s);
    second.write(' '.repeat(10_000));
    expect(await untilAnswered(second)).toMatch(/^HTTP\/1\.1 400 .*\{"code":"not-json"/s);
    second.destroy();
    expect((await exchange(receiver.port, good)).status).toBe(202);
  });
});

/** Resolves when the receiver waits for the body: it says so to who asks. */
async function beginBody(port: number, length: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${head}Content-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`);
  await once(socket, 'data');
  return socket;
}

async function untilAnswered(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  await eventually(() => parseAnswers(Buffer.from(text, 'latin1')).answers.length > 0);
  return text;
}

describe('what is no HTTP, or two kinds of it, is answered 400 and closed, and nothing is stored', () => {
  const body = collection(changed());
  const smuggled = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const hosts = 'Host: a\r\nContent-Type: application/json\r\n';
  let receiver: ReceiverUnderTest;
  beforeAll(async () => {
    receiver = await startReceiverUnderTest(inject('redisUrl'));
  });
  afterAll(async () => {
    await receiver.end();
  });

  it.each([
    [
      'a length and chunks',
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'chunks and a length',
      `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['two lengths', `${head}Content-Length: 5\r\nContent-Length: ${body.length}\r\n\r\n${body}`],
    ['two equal lengths', `${head}Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde${smuggled}`],
    ['a list of lengths', `${head}Content-Length: 5, 5\r\n\r\nabcde${smuggled}`],
    ['a negative length', `${head}Content-Length: -1\r\n\r\n${smuggled}`],
    ['a length with a plus sign', `${head}Content-Length: +5\r\n\r\nabcde${smuggled}`],
    ['a length beyond all', `${head}Content-Length: 99999999999999999999999\r\n\r\n`],
    ['a hexadecimal length', `${head}Content-Length: 0x5\r\n\r\nabcde`],
    [
      'chunks that are not the last coding',
      `${head}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['chunks by another name', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    [
      'chunks with a space before the colon',
      `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['a chunk of a negative size', `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n`],
    ['a chunk of a huge size', `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`],
    ['a chunk without its end', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${smuggled}`],
    ['a folded header', `POST /events HTTP/1.1\r\n${hosts}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
    ['a header without a name', `${head}: x\r\n\r\n`],
    ['a null in a header', `${head}X: a\0b\r\n\r\n`],
    ['a bare CR in a header', `${head}X: a\rb\r\n\r\n`],
    ['no host', 'POST /events HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
    ['a method that there is not', `FETCH /events HTTP/1.1\r\n${hosts}\r\n`],
    ['a method in lower case', `post /events HTTP/1.1\r\n${hosts}\r\n`],
    ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/9', `POST /events HTTP/9.9\r\n${hosts}\r\n`],
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a space in the target', `POST /events x HTTP/1.1\r\n${hosts}\r\n`],
  ])('%s', async (_what, bytes) => {
    const text = await untilClosed(receiver.port, bytes);
    expect(text).toMatch(/^HTTP\/1\.1 (400|413|505) /);
    expect(text).not.toMatch(/ 202 |<|Error|node_modules/);
    expect(await receiver.takeStored()).toEqual([]);
  });

  it.each([
    ['headers of 20 kB', `${head}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['4,000 headers', `${head}${'X: y\r\n'.repeat(4000)}\r\n`, 431],
    ['a target of 20 kB', `POST /events?${'x'.repeat(20_000)} HTTP/1.1\r\n${hosts}\r\n`, 431],
    [
      'an expectation that nobody meets',
      `${head}Expect: money\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      417,
    ],
  ])('%s', async (_what, bytes, status) => {
    expect(await untilClosed(receiver.port, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('CONNECT: the connection ends without a word', async () => {
    expect(
      await untilClosed(receiver.port, 'CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: a\r\n\r\n'),
    ).toBe('');
  });

  it('a body that is refused by its length alone is not asked for, one that may come is', async () => {
    const expecting = `${head}Expect: 100-continue\r\nConnection: close\r\n`;
    expect(await untilClosed(receiver.port, `${expecting}Content-Length: 60000000\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    const socket = connect(receiver.port, '127.0.0.1');
    socket.write(`${expecting}Content-Length: ${body.length}\r\n\r\n`);
    const answer = untilEnd(socket);
    socket.once('data', () => socket.write(body));
    expect(await answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 /);
    expect(countOf(await receiver.takeStored(), () => true)).toBe(1);
  });

  it('a client that closes its side gets no answer; what it had said is stored all the same', async () => {
    const socket = connect({ port: receiver.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(good);
    await untilEnd(socket);
    await eventually(async () => expect(countOf(await receiver.takeStored(), () => true)).toBe(1));
  });

  it('chunks as they should be are read', async () => {
    const chunked = `${body.length.toString(16)};ext=1\r\n${body}\r\n0\r\nX-Trailer: a\r\n\r\n`;
    const headers = [JSON_TYPE, ['Transfer-Encoding', 'chunked'], ['Connection', 'close']] as const;
    const start = bytesOf({ headers });
    const text = await untilClosed(receiver.port, Buffer.concat([start, Buffer.from(chunked)]));
    expect(text).toMatch(/^HTTP\/1\.1 202 /);
    expect(countOf(await receiver.takeStored(), () => true)).toBe(1);
  });
});
