import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listen } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { closeServer, createLimitedServer } from '../src/http-server.ts';

const LOOPBACK = { port: 0, host: '127.0.0.1', setting: 'PORT' };

/** A listener, and raw connections to it that end with it. */
async function serve(answer: RequestListener) {
  const server = createLimitedServer(answer);
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
