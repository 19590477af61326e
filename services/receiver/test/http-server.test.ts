import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listen } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { closeServer, createLimitedServer } from '../src/http-server.ts';

const LOOPBACK = { port: 0, host: '127.0.0.1', setting: 'PORT' };

/** A listener, and raw connections to it that end with it. */
async function serve(answer: RequestListener, maxConnections = 100) {
  const server = createLimitedServer(answer, maxConnections);
  const port = await listen(server, LOOPBACK);
  const sockets: Socket[] = [];
  return {
    server,
    port,
    async open(bytes = ''): Promise<Socket> {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      if (bytes !== '') socket.write(bytes);
      return socket;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await closeServer(server);
    },
  };
}

const textOf = async (socket: Socket) => {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('createLimitedServer', () => {
  it.each([
    ['headers that never end', 'POST /events HTTP/1.1\r\nHost: x\r\n'],
    ['a body that never ends', 'POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'],
  ])('cuts off who sends %s within 10 s', { timeout: 40_000 }, async (_what, bytes) => {
    await using it = await serve((request, response) => request.resume().on('end', () => response.end()));
    const socket = await it.open(bytes);
    const startedAt = performance.now();
    expect(await textOf(socket)).toMatch(/^HTTP\/1.1 408/);
    expect(performance.now() - startedAt).toBeLessThan(12_000);
  });

  it('answers a second request on the same connection', async () => {
    await using it = await serve((_request, response) => response.end('here'));
    const socket = await it.open(GET);
    let answers = '';
    socket.on('data', (bytes) => {
      answers += bytes;
    });
    await eventually(() => answers.endsWith('here'));
    socket.write(GET);
    await eventually(() => answers.match(/HTTP\/1.1 200/g)?.length === 2);
  });
});

describe('a server with as many connections as it may have', () => {
  it('closes the one that has rested longest for another', async () => {
    await using it = await serve((_request, response) => response.end('here'), 3);
    const sockets = [await it.open(), await it.open(), await it.open()] as const;
    // Its answer makes the first one the youngest.
    sockets[0].write(GET);
    await once(sockets[0], 'data');
    const fourth = await it.open(GET);
    await once(fourth, 'data');
    await eventually(() => sockets[1].closed);
    expect(sockets.map(({ closed }) => closed)).toEqual([false, true, false]);
  });

  it('closes the one that has been sending longest where none rests, and none that waits for its answer', async () => {
    const answers: (() => void)[] = [];
    await using it = await serve((request, response) => {
      request.resume();
      answers.push(() => response.end('here'));
    }, 3);
    const unfinished = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{';
    const waiting = await it.open(GET);
    await eventually(() => answers.length === 1);
    const sending = await it.open(unfinished);
    await eventually(() => answers.length === 2);
    const younger = await it.open(unfinished);
    await eventually(() => answers.length === 3);
    const another = await it.open(GET);
    await eventually(() => sending.closed && answers.length === 4);
    expect([waiting.closed, younger.closed, another.closed]).toEqual([false, false, false]);
    const answered = once(waiting, 'data');
    answers[0]?.();
    expect(String(await answered)).toMatch(/here$/);
  });

  it('closes the new one where all wait for their answers', async () => {
    let requests = 0;
    await using it = await serve(() => void requests++, 2);
    const arrived = await Promise.all([it.open(GET), it.open(GET)]);
    await eventually(() => requests === 2);
    const newcomer = await it.open(GET);
    await eventually(() => newcomer.closed);
    expect(arrived.map(({ closed }) => closed)).toEqual([false, false]);
  });
});

describe('a connection', () => {
  it('may have eight requests under way, and is closed with the ninth', async () => {
    let requests = 0;
    await using it = await serve(() => void requests++);
    const patient = await it.open(GET.repeat(8));
    await eventually(() => requests === 8);
    const hasty = await it.open(GET.repeat(1000));
    await eventually(() => hasty.closed);
    expect([patient.closed, requests]).toEqual([false, 16]);
  });
});

describe('closeServer', () => {
  it('lets a request under way end, and takes no new one', async () => {
    const answer = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await using it = await serve(async (_request, response) => {
      arrived.resolve();
      await answer.promise;
      response.end('in time');
    });
    const socket = await it.open(GET);
    await arrived.promise;
    const closed = closeServer(it.server);
    await expect(fetch(`http://127.0.0.1:${it.port}`)).rejects.toThrow();
    answer.resolve();
    const answeredAt = performance.now();
    await closed;
    expect(performance.now() - answeredAt).toBeLessThan(2000);
    expect(await textOf(socket)).toMatch(/in time$/);
  });

  it('does not wait for connections that idle, or become idle', async () => {
    await using it = await serve((_request, response) => response.end('here'));
    const idle = await it.open(GET);
    await once(idle, 'data');
    const startedAt = performance.now();
    await closeServer(it.server);
    if (!idle.closed) await once(idle, 'close');
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it.each([
    ['nothing', ''],
    ['half of its headers', 'POST /events HTTP/1.1\r\nHost: x\r\n'],
    ['half of its body', 'POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'],
  ])('does not wait for long for a connection that has sent %s', async (_what, bytes) => {
    await using it = await serve((request, response) => request.resume().on('end', () => response.end()));
    await it.open(bytes);
    const startedAt = performance.now();
    await closeServer(it.server);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('may be called twice, and before anything listens', async () => {
    const server = createServer();
    await closeServer(server);
    await listen(server, LOOPBACK);
    await Promise.all([closeServer(server), closeServer(server)]);
    await closeServer(server);
    expect(server.listening).toBe(false);
  });

  it('ends a server that is only beginning to listen', async () => {
    const server = createServer();
    void listen(server, LOOPBACK);
    await closeServer(server);
    expect(server.listening).toBe(false);
  });
});
