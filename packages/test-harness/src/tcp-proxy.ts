// A TCP proxy on loopback between clients and a server, which does to connections what networks and crashes do.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';
import { type LinkState, ProxiedConnection } from './proxied-connection.ts';

export interface TcpProxyOptions {
  /** Where connections are passed on to; the host is 127.0.0.1 by default. */
  readonly target: { readonly host?: string; readonly port: number };
  /** Default: a free one. */
  readonly port?: number;
}

export interface TcpProxyCounts {
  /** Connections made by clients; refused ones never arrive and are not among them. */
  readonly accepted: number;
  readonly open: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  readonly responsesCut: number;
}

/** A cut that waits for its request. */
export interface ArmedCut {
  /** Resolves when the server has answered the request and the connection was cut in place of the answer. */
  readonly done: Promise<void>;
  /** Does nothing once a request has matched. */
  cancel(): void;
}

export class TcpProxy {
  readonly port: number;
  readonly #target: Required<TcpProxyOptions['target']>;
  readonly #link: LinkState = {
    delayMs: 0,
    isPaused: false,
    cuts: new Set(),
    counts: { bytesToServer: 0, bytesToClient: 0, responsesCut: 0 },
  };
  readonly #connections = new Set<ProxiedConnection>();
  readonly #swallowed = new Set<Socket>();
  readonly #closed: Promise<void>[] = [];
  #server: Server | undefined;
  #accepted = 0;
  #isBlackHole = false;

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options, options.port ?? (await freePort()));
    await proxy.forward();
    return proxy;
  }

  private constructor({ target }: TcpProxyOptions, port: number) {
    this.#target = { host: target.host ?? '127.0.0.1', port: target.port };
    this.port = port;
  }

  get counts(): TcpProxyCounts {
    const open = this.#connections.size + this.#swallowed.size;
    return { accepted: this.#accepted, open, ...this.#link.counts };
  }

  /** Added to each chunk in each direction, also on connections that are open. */
  set delayMs(delayMs: number) {
    this.#link.delayMs = delayMs;
  }

  get delayMs(): number {
    return this.#link.delayMs;
  }

  /** Back to normal for new connections, after `refuse` or `blackHole`. */
  async forward(): Promise<void> {
    this.#isBlackHole = false;
    await this.#listen();
  }

  /** New connections get ECONNREFUSED, as if the server were down; open ones go on. */
  refuse(): void {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    // A server is closed when its last connection is.
    this.#closed.push(new Promise((resolve) => server.close(() => resolve())));
  }

  /** New connections are accepted and nothing is ever answered, as by a host that hangs; open ones go on. */
  async blackHole(): Promise<void> {
    this.#isBlackHole = true;
    await this.#listen();
  }

  /** No byte passes in either direction until `resume`; connections stay, as with a cable pulled out. */
  pause(): void {
    this.#link.isPaused = true;
    for (const connection of this.#connections) connection.linkChanged();
  }

  resume(): void {
    this.#link.isPaused = false;
    for (const connection of this.#connections) connection.linkChanged();
  }

  /** Resets all open connections, swallowed ones too; how many there were. */
  cutAll(): number {
    const { open } = this.counts;
    for (const connection of this.#connections) connection.cut();
    for (const socket of this.#swallowed) socket.resetAndDestroy();
    return open;
  }

  /**
   * Once: lets a request pass, waits for the server to answer, and resets the connection instead of passing the answer
   * on. The work is done and the client cannot know it. `matches` is given what the client has sent since the server
   * last answered; on a connection with several requests under way the next answer is cut, whichever it is.
   */
  cutNextResponse(matches: (requestBytes: Buffer) => boolean = () => true): ArmedCut {
    const { promise: done, resolve: onCut } = Promise.withResolvers<void>();
    const cut = { matches, onCut };
    this.#link.cuts.add(cut);
    return { done, cancel: () => this.#link.cuts.delete(cut) };
  }

  /** Ends listening and all connections; safe to call twice. */
  async close(): Promise<void> {
    this.refuse();
    this.cutAll();
    await Promise.all(this.#closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    server.listen({ port: this.port, host: '127.0.0.1' });
    await once(server, 'listening');
  }

  #accept(client: Socket): void {
    this.#accepted++;
    if (this.#isBlackHole) this.#swallow(client);
    else this.#passOn(client);
  }

  #swallow(client: Socket): void {
    this.#swallowed.add(client);
    client.on('error', () => {});
    client.once('close', () => this.#swallowed.delete(client));
    // Read, or the client's own end would never be seen.
    client.resume();
    client.once('end', () => client.destroy());
  }

  #passOn(client: Socket): void {
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const connection = new ProxiedConnection(client, server, this.#link);
    this.#connections.add(connection);
    client.once('close', () => this.#connections.delete(connection));
  }
}
