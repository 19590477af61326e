// An HTTPS server that can be closed at once, with whatever connections it has.
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ServerCertificate } from './certificate.ts';

/** Longer than clients keep idle connections, so that it is never us who close one that is just being used. */
const KEEP_ALIVE_MS = 65_000;

export class HttpsListener {
  readonly #server: Server;
  /** All of them: the server's own list leaves out those that are still shaking hands. */
  readonly #sockets = new Set<Socket>();
  #url = '';

  constructor({ key, cert }: ServerCertificate, handler: RequestListener) {
    this.#server = createServer({ key, cert }, handler);
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Empty before it listens; the same text for ever after. */
  get url(): string {
    return this.#url;
  }

  /** @throws where the port is taken or the address is not ours */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    this.#url = urlOf(host, (this.#server.address() as AddressInfo).port);
  }

  /** Calls under way are cut off. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const isClosed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await isClosed;
  }
}

function urlOf(host: string, port: number): string {
  // An address for all interfaces is none to connect to.
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `https://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
