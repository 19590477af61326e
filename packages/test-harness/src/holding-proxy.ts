// A TCP proxy that keeps one request on its way, as a network or a frozen broker does: the client gives up and
// connects anew, and the bytes still reach the broker afterwards.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type HoldingProxy = {
  /** The next request that matches, and all after it on its connection, go no further until `release`. */
  holdNext(matches: (request: Buffer) => boolean): HeldRequest;
  /** Ends listening and all connections. */
  close(): Promise<void>;
};

export type HeldRequest = {
  readonly held: Promise<void>;
  /** Resolves when the server has answered it, or has closed the connection. */
  release(): Promise<void>;
};

type Order = { readonly matches: (request: Buffer) => boolean; readonly onHeld: (link: Link) => void };
type Link = { readonly server: Socket; readonly kept: Buffer[]; isHeld: boolean };

/** Listens on `port` of 127.0.0.1. */
export async function startHoldingProxy(port: number, targetPort: number): Promise<HoldingProxy> {
  const orders: Order[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const link: Link = { server: connect({ port: targetPort, host: '127.0.0.1' }), kept: [], isHeld: false };
    for (const socket of [client, link.server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk: Buffer) => pass(link, chunk, orders));
    client.on('close', () => link.isHeld || link.server.destroy());
    link.server.on('data', (chunk: Buffer) => client.destroyed || client.write(chunk));
    link.server.on('close', () => client.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    holdNext: (matches) => hold(orders, matches),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function pass(link: Link, chunk: Buffer, orders: Order[]): void {
  const order = link.isHeld ? undefined : orders.find(({ matches }) => matches(chunk));
  if (order) {
    orders.splice(orders.indexOf(order), 1);
    link.isHeld = true;
  }
  if (link.isHeld) link.kept.push(chunk);
  else link.server.write(chunk);
  if (order) order.onHeld(link);
}

function hold(orders: Order[], matches: Order['matches']): HeldRequest {
  const { promise, resolve } = Promise.withResolvers<Link>();
  orders.push({ matches, onHeld: resolve });
  return {
    held: promise.then(() => undefined),
    async release() {
      const { server, kept } = await promise;
      const answered = new Promise<void>((done) => {
        server.once('data', () => done());
        server.once('close', () => done());
      });
      for (const chunk of kept) server.write(chunk);
      await answered;
      server.destroy();
    },
  };
}
