// Answers that wear a reader out: without an end, byte by byte, or small on the wire and huge when inflated.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

export interface AnswerHead {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** Small and slow enough to idle beside a test, steady enough to keep a reader without a deadline busy for ever. */
const ENDLESS_INTERVAL_MS = 10;
const ENDLESS_CHUNK = `"${'x'.repeat(1022)}"`;

function every(response: ServerResponse, intervalMs: number, write: () => void): void {
  const timer = setInterval(() => {
    // A reader that has stopped reading must not make us hoard what it leaves.
    if (!response.writableNeedDrain) write();
  }, intervalMs);
  response.on('close', () => clearInterval(timer));
}

/** A JSON list that goes on until the reader has had enough. */
export function sendEndless(response: ServerResponse, { status, headers }: AnswerHead): void {
  response.writeHead(status, headers);
  response.write('{"value":[""');
  every(response, ENDLESS_INTERVAL_MS, () => response.write(`,${ENDLESS_CHUNK}`));
}

/** A minute for a few hundred bytes: no pause is long enough for a limit on idle time to end it. */
const TRICKLE_INTERVAL_MS = 100;
const TRICKLE_BODY = `{"value":[${' '.repeat(600)}]}`;

/** An empty list that does end, after more than a minute. */
export function sendSlowly(response: ServerResponse, { status, headers }: AnswerHead): void {
  response.writeHead(status, { ...headers, 'content-length': TRICKLE_BODY.length });
  let sent = 0;
  every(response, TRICKLE_INTERVAL_MS, () => {
    response.write(TRICKLE_BODY.charAt(sent));
    sent += 1;
    if (sent === TRICKLE_BODY.length) response.end();
  });
}

const MIB = 2 ** 20;
/** 1 GiB out of about 1 MiB: what gzip makes of one letter, at best a thousandth. */
const BOMB_BLOCKS = 128;
const BOMB_BLOCK_BYTES = 8 * MIB;
const BOMB_START = Buffer.from('{"value":"');
const BOMB_END = Buffer.from('"}');
/** RFC 1952: magic number, deflate, no flags, no time, any system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

const deflate = promisify(deflateRaw);
/** A full flush ends a piece at a byte and forgets what was before, so that pieces can be put together at will. */
const deflatePiece = (piece: Buffer) => deflate(piece, { finishFlush: constants.Z_FULL_FLUSH });

/** RFC 1952: CRC-32 and length, modulo 2^32, of what was compressed. */
function gzipTrailer(crc: number, length: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  return trailer;
}

/** Valid gzip of valid JSON, piece by piece. */
async function* bombPieces(): AsyncGenerator<Buffer> {
  const letters = Buffer.alloc(BOMB_BLOCK_BYTES, 'x');
  const block = await deflatePiece(letters);
  yield Buffer.concat([GZIP_HEADER, await deflatePiece(BOMB_START)]);
  let crc = crc32(BOMB_START);
  for (let i = 0; i < BOMB_BLOCKS; i += 1) {
    crc = crc32(letters, crc);
    yield block;
  }
  const length = BOMB_START.length + BOMB_BLOCKS * BOMB_BLOCK_BYTES + BOMB_END.length;
  yield Buffer.concat([await deflate(BOMB_END), gzipTrailer(crc32(BOMB_END, crc), length)]);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A GiB in a MiB. Ends early if the reader does. */
export async function sendBomb(response: ServerResponse, { status, headers }: AnswerHead): Promise<void> {
  response.writeHead(status, { ...headers, 'content-encoding': 'gzip' });
  for await (const piece of bombPieces()) {
    if (response.destroyed) return;
    response.write(piece);
    // Whoever else calls the simulator gets a turn between two pieces.
    await turn();
  }
  response.end();
}
