// Bytes from one socket to another, in order, each chunk after a delay and none while the link is paused.
import type { Socket } from 'node:net';

interface Link {
  readonly delayMs: number;
  readonly isPaused: boolean;
}

interface Waiting {
  readonly dueAt: number;
  /** null: the source has ended its side. */
  readonly chunk: Buffer | null;
}

export class DelayedFlow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #link: Link;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** A chunk for which `onBytes` answers false goes no further. */
  constructor(source: Socket, sink: Socket, link: Link, onBytes: (chunk: Buffer) => boolean) {
    this.#source = source;
    this.#sink = sink;
    this.#link = link;
    source.on('data', (chunk: Buffer) => {
      if (onBytes(chunk)) this.#enqueue(chunk);
    });
    source.once('end', () => this.#enqueue(null));
    sink.on('drain', () => this.update());
    this.update();
  }

  /** Goes on after the link has changed. */
  update(): void {
    if (this.#isStopped) return;
    if (this.#link.isPaused) {
      clearTimeout(this.#timer);
      this.#source.pause();
      return;
    }
    this.#passOnWhatIsDue();
    if (this.#sink.writableNeedDrain) this.#source.pause();
    else this.#source.resume();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #enqueue(chunk: Buffer | null): void {
    if (this.#isStopped) return;
    // A shorter delay from now on must not let this chunk overtake.
    const notBefore = this.#waiting.at(-1)?.dueAt ?? 0;
    this.#waiting.push({ dueAt: Math.max(notBefore, performance.now() + this.#link.delayMs), chunk });
    this.update();
  }

  #passOnWhatIsDue(): void {
    clearTimeout(this.#timer);
    while (this.#waiting[0] && this.#waiting[0].dueAt <= performance.now()) {
      const { chunk } = this.#waiting.shift() as Waiting;
      if (chunk === null) this.#sink.end();
      else if (this.#sink.writable) this.#sink.write(chunk);
    }
    const next = this.#waiting[0];
    if (next) this.#timer = setTimeout(() => this.update(), Math.max(1, next.dueAt - performance.now()));
  }
}
