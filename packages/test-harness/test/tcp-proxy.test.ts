import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { TcpProxy } from '../src/tcp-proxy.ts';

/** Answers each chunk that `isWhole` with itself in capitals, and keeps what it got. */
async function startEcho(isWhole: (text: string) => boolean) {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received.push(chunk.toString());
      if (isWhole(chunk.toString())) socket.write(chunk.toString().toUpperCase());
    });
  });
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received, sockets };
}

async function startProxy(isWhole: (text: string) => boolean = () => true) {
  const echo = await startEcho(isWhole);
  const proxy = await TcpProxy.start({ target: { port: echo.port } });
  onTestFinished(() => proxy.close());
  return { proxy, echo };
}

/** A client that remembers what came and how it ended. */
async function connectTo(port: number) {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  const client = { socket, answer: '', error: undefined as string | undefined, isClosed: false };
  socket.on('data', (chunk) => {
    client.answer += chunk.toString();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    client.error = error.code;
  });
  socket.once('close', () => {
    client.isClosed = true;
  });
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return client;
}

const answers = (client: { answer: string }, text: string) => eventually(() => client.answer === text);
const closes = (client: { isClosed: boolean }) => eventually(() => client.isClosed);

describe('TcpProxy', () => {
  it('passes bytes both ways and counts them', async () => {
    const { proxy } = await startProxy();
    const client = await connectTo(proxy.port);
    client.socket.write('hello');
    await answers(client, 'HELLO');
    expect(proxy.counts).toEqual({
      accepted: 1,
      open: 1,
      bytesToServer: 5,
      bytesToClient: 5,
      responsesCut: 0,
    });
  });

  it('passes on megabytes that nobody reads yet, whole and in order', async () => {
    const { proxy } = await startProxy();
    const client = await connectTo(proxy.port);
    client.socket.pause();
    const sent = 'abcdefghij'.repeat(400_000);
    client.socket.write(sent);
    client.socket.resume();
    await eventually(() => client.answer.length === sent.length);
    expect(client.answer).toBe(sent.toUpperCase());
  });

  it('passes the end of one side on, and then lets the other end', async () => {
    const { proxy, echo } = await startProxy();
    const client = await connectTo(proxy.port);
    client.socket.end('bye');
    await closes(client);
    expect(client).toMatchObject({ answer: 'BYE', error: undefined });
    await eventually(() => [...echo.sockets].every((socket) => socket.destroyed));
    await eventually(() => proxy.counts.open === 0);
  });

  it('cuts all connections', async () => {
    const { proxy, echo } = await startProxy();
    const clients = [await connectTo(proxy.port), await connectTo(proxy.port)];
    await eventually(() => echo.sockets.size === 2);
    expect(proxy.cutAll()).toBe(2);
    for (const client of clients) await closes(client);
    expect(clients.map(({ error }) => error)).toEqual(['ECONNRESET', 'ECONNRESET']);
    await eventually(() => [...echo.sockets].every((socket) => socket.destroyed));
    expect(proxy.counts.open).toBe(0);
  });

  it('refuses new connections, leaves open ones, and takes new ones again', async () => {
    const { proxy } = await startProxy();
    const early = await connectTo(proxy.port);
    proxy.refuse();
    expect((await connectTo(proxy.port)).error).toBe('ECONNREFUSED');
    early.socket.write('still here');
    await answers(early, 'STILL HERE');
    await proxy.forward();
    const late = await connectTo(proxy.port);
    late.socket.write('back');
    await answers(late, 'BACK');
  });

  it('swallows new connections as a black hole, until it is cut', async () => {
    const { proxy, echo } = await startProxy();
    await proxy.blackHole();
    const client = await connectTo(proxy.port);
    client.socket.write('anybody?');
    await eventually(() => proxy.counts.accepted === 1);
    const after = await connectTo(proxy.port);
    await proxy.forward();
    const normal = await connectTo(proxy.port);
    normal.socket.write('hello');
    await answers(normal, 'HELLO');
    expect([client.answer, after.answer, echo.received]).toEqual(['', '', ['hello']]);
    expect(proxy.counts.open).toBe(3);
    proxy.cutAll();
    await closes(client);
  });

  it('lets a client leave the black hole', async () => {
    const { proxy } = await startProxy();
    await proxy.blackHole();
    const client = await connectTo(proxy.port);
    await eventually(() => proxy.counts.open === 1);
    client.socket.end();
    await closes(client);
    await eventually(() => proxy.counts.open === 0);
  });

  it('holds all bytes back while it is paused, and loses none', async () => {
    const { proxy, echo } = await startProxy();
    const client = await connectTo(proxy.port);
    client.socket.write('one');
    await answers(client, 'ONE');
    proxy.pause();
    client.socket.write('two');
    // Another connection's whole exchange is the measure of time in which "two" would have passed.
    const direct = await connectTo(echo.port);
    direct.socket.write('direct');
    await answers(direct, 'DIRECT');
    expect(echo.received).toEqual(['one', 'direct']);
    proxy.resume();
    await answers(client, 'ONETWO');
  });

  it('delays each direction and keeps the order when the delay shrinks', async () => {
    const { proxy, echo } = await startProxy();
    const client = await connectTo(proxy.port);
    proxy.delayMs = 80;
    const startedAt = performance.now();
    client.socket.write('slow ');
    await eventually(() => proxy.counts.bytesToServer === 5, { intervalMs: 1 });
    proxy.delayMs = 0;
    client.socket.write('quick');
    await eventually(() => echo.received.join('') === 'slow quick', { intervalMs: 1 });
    // Node's timers may fire a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(79);
    await answers(client, 'SLOW QUICK');
  });

  it('lets a request pass and cuts its answer, once', async () => {
    const { proxy, echo } = await startProxy();
    const client = await connectTo(proxy.port);
    const cut = proxy.cutNextResponse((request) => request.toString().includes('transfer'));
    client.socket.write('balance');
    await answers(client, 'BALANCE');
    client.socket.write('transfer');
    await cut.done;
    await closes(client);
    expect(client).toMatchObject({ answer: 'BALANCE', error: 'ECONNRESET' });
    expect(echo.received).toEqual(['balance', 'transfer']);
    expect(proxy.counts.responsesCut).toBe(1);
    const again = await connectTo(proxy.port);
    again.socket.write('transfer');
    await answers(again, 'TRANSFER');
  });

  it('recognises a request that comes in pieces', async () => {
    const { proxy, echo } = await startProxy((text) => text === 'fer');
    const client = await connectTo(proxy.port);
    const cut = proxy.cutNextResponse((request) => request.toString() === 'transfer');
    client.socket.write('trans');
    await eventually(() => echo.received.length === 1);
    client.socket.write('fer');
    await cut.done;
    expect(echo.received).toEqual(['trans', 'fer']);
  });

  it('cuts nothing after a cut was cancelled', async () => {
    const { proxy } = await startProxy();
    proxy.cutNextResponse().cancel();
    const client = await connectTo(proxy.port);
    client.socket.write('hello');
    await answers(client, 'HELLO');
  });

  it('ends the client’s connection when the server is not there', async () => {
    const { proxy, echo } = await startProxy();
    const nobody = await TcpProxy.start({ target: { port: echo.port } });
    await nobody.close();
    const lost = await TcpProxy.start({ target: { port: nobody.port } });
    onTestFinished(() => lost.close());
    const client = await connectTo(lost.port);
    await closes(client);
    expect(proxy.counts.accepted).toBe(0);
  });

  it('closes twice, and leaves no listener and no connection', async () => {
    const { proxy } = await startProxy();
    const client = await connectTo(proxy.port);
    await eventually(() => proxy.counts.open === 1);
    await Promise.all([proxy.close(), proxy.close()]);
    await closes(client);
    expect((await connectTo(proxy.port)).error).toBe('ECONNREFUSED');
  });
});
