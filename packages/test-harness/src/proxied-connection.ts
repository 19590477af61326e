// One client's connection through the TCP proxy: bytes both ways, delayed, held back or cut.
import type { Socket } from 'node:net';
import { DelayedFlow } from './delayed-flow.ts';

/** What holds for all connections of a proxy, and may change while they live. */
export interface LinkState {
  /** Added to each chunk in each direction. */
  delayMs: number;
  isPaused: boolean;
  /** They wait for a request that matches. */
  readonly cuts: Set<ResponseCut>;
  readonly counts: { bytesToServer: number; bytesToClient: number; responsesCut: number };
}

export interface ResponseCut {
  readonly matches: (requestBytes: Buffer) => boolean;
  readonly onCut: () => void;
}

// A request is known by its beginning; what a client streams after it need not be kept.
const KEPT_REQUEST_BYTES = 1024 * 1024;

export class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #link: LinkState;
  readonly #toServer: DelayedFlow;
  readonly #toClient: DelayedFlow;
  /** What the client has sent since the server last answered. */
  #requestBytes = Buffer.alloc(0);
  #cut: ResponseCut | undefined;

  constructor(client: Socket, server: Socket, link: LinkState) {
    this.#client = client;
    this.#server = server;
    this.#link = link;
    this.#toServer = new DelayedFlow(client, server, link, (chunk) => this.#onRequestBytes(chunk));
    this.#toClient = new DelayedFlow(server, client, link, (chunk) => this.#onResponseBytes(chunk));
    for (const socket of [client, server]) {
      // An error is followed by close, and that is what counts.
      socket.on('error', () => {});
      socket.once('close', () => this.destroy());
    }
  }

  /** Both ends see the connection reset. */
  cut(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  destroy(): void {
    this.#toServer.stop();
    this.#toClient.stop();
    this.#client.destroy();
    this.#server.destroy();
  }

  /** To be called when the link was paused or resumed. */
  linkChanged(): void {
    this.#toServer.update();
    this.#toClient.update();
  }

  #onRequestBytes(chunk: Buffer): boolean {
    this.#link.counts.bytesToServer += chunk.length;
    if (this.#requestBytes.length < KEPT_REQUEST_BYTES) {
      this.#requestBytes = Buffer.concat([this.#requestBytes, chunk]);
    }
    this.#cut ??= this.#takeMatchingCut();
    return true;
  }

  #onResponseBytes(chunk: Buffer): boolean {
    this.#requestBytes = Buffer.alloc(0);
    if (!this.#cut) {
      this.#link.counts.bytesToClient += chunk.length;
      return true;
    }
    this.#link.counts.responsesCut++;
    this.cut();
    this.#cut.onCut();
    return false;
  }

  #takeMatchingCut(): ResponseCut | undefined {
    for (const cut of this.#link.cuts) {
      if (!cut.matches(this.#requestBytes)) continue;
      this.#link.cuts.delete(cut);
      return cut;
    }
    return undefined;
  }
}
