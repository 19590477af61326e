/** Clients that mean harm, each as a crowd of raw connections that is opened, kept up and ended. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { changed, collection } from './graph-posts.ts';
import { bytesOf } from './raw-answer.ts';

export type Attack = AsyncDisposable & {
  /** How many connections the attacker holds open now. */
  open(): number;
  /** Bytes of answers that it was given. */
  received(): string;
  /** How many connections it has opened in all. */
  readonly opened: () => number;
};

export type AttackName = keyof typeof ATTACKS;

type Way = {
  readonly connections: number;
  /** Sent on each new connection. */
  readonly first: string | Buffer;
  /** Sent every so often on each, for as long as it lives. */
  readonly drip?: { readonly bytes: string | Buffer; readonly everyMs: number };
  /** Connections that end are opened again. */
  readonly comesBack: boolean;
};

const JSON_HEAD = 'POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
const good = collection(changed());
const bomb = `{"value":[${'{},'.repeat(90_000)}{}]}`;

export const ATTACKS = {
  /** 5,000 that connect and say nothing. */
  'idle sockets': { connections: 5000, first: '', comesBack: false },
  /** 5,000 that ask once, as anybody may, and keep the connection. */
  'kept connections': {
    connections: 5000,
    first: 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
    comesBack: false,
  },
  'slow headers': {
    connections: 500,
    first: JSON_HEAD,
    drip: { bytes: 'X-A: b\r\n', everyMs: 500 },
    comesBack: true,
  },
  'slow bodies': {
    connections: 1500,
    first: `${JSON_HEAD}Content-Length: 100000\r\n\r\n{`,
    drip: { bytes: ' ', everyMs: 500 },
    comesBack: true,
  },
  /** Bodies that are nearly as large as may be, and never end. */
  'large slow bodies': {
    connections: 20,
    first: Buffer.concat([
      Buffer.from(`${JSON_HEAD}Content-Length: 5242880\r\n\r\n`),
      Buffer.alloc(5_000_000, 0x20),
    ]),
    drip: { bytes: ' ', everyMs: 500 },
    comesBack: true,
  },
  'endless chunks': {
    connections: 20,
    first: `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`,
    drip: { bytes: `10000\r\n${' '.repeat(65_536)}\r\n`, everyMs: 10 },
    comesBack: true,
  },
  'header floods': { connections: 20, first: `${JSON_HEAD}${'X: y\r\n'.repeat(5000)}\r\n`, comesBack: true },
  pipelining: {
    connections: 10,
    first: bytesOf({ body: good }).toString('latin1').repeat(1000),
    comesBack: true,
  },
  'large bodies': { connections: 10, first: bytesOf({ body: bomb }), comesBack: true },
  'forged items': {
    connections: 4,
    first: bytesOf({ body: collection(...Array(5000).fill(changed({ clientState: 'v1.a.b' }))) }),
    comesBack: true,
  },
  'cut connections': {
    connections: 50,
    first: bytesOf({ body: good }).subarray(0, -10),
    drip: { bytes: '', everyMs: 100 },
    comesBack: true,
  },
} as const satisfies Readonly<Record<string, Way>>;

const KEPT_BYTES = 100_000;
/** Opened at a time: more would meet a full queue of the kernel, and wait there. */
const AT_ONCE = 100;

/** Resolves when all its connections have been opened once. */
export async function startAttack(port: number, name: AttackName): Promise<Attack> {
  const way: Way = ATTACKS[name];
  const sockets = new Set<Socket>();
  let ended = false;
  let opened = 0;
  let received = '';

  async function open(): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    opened++;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      if (received.length < KEPT_BYTES) received += bytes.toString('latin1');
    });
    socket.on('connect', () => socket.write(way.first));
    const timer = way.drip && setInterval(() => drip(socket, way), way.drip.everyMs);
    socket.once('close', () => {
      clearInterval(timer);
      sockets.delete(socket);
      // Not at once, or the attacker would be busy with nothing else where each is refused.
      if (way.comesBack && !ended) setTimeout(() => ended || void open(), 50);
    });
    // Being refused is what an attacker has to live with.
    const settled = [once(socket, 'connect'), once(socket, 'close')];
    await Promise.race(settled.map((event) => event.catch(() => undefined)));
  }

  for (let n = 0; n < way.connections; n += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, way.connections - n) }, open));
  return {
    open: () => sockets.size,
    opened: () => opened,
    received: () => received,
    async [Symbol.asyncDispose]() {
      ended = true;
      const closing = [...sockets].map((socket) => socket.closed || once(socket, 'close'));
      for (const socket of sockets) socket.resetAndDestroy();
      await Promise.all(closing);
    },
  };
}

/** An empty drip stands for a connection that is cut in the midst. */
function drip(socket: Socket, { drip: dripping }: Way): void {
  if (!dripping || socket.writableNeedDrain || socket.destroyed) return;
  if (dripping.bytes === '') socket.resetAndDestroy();
  else socket.write(dripping.bytes);
}
