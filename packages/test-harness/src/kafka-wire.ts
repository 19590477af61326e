// The few words of Kafka's protocol that the harness needs to see a broker from outside, independent of any client.
// Source: the protocol guide of Apache Kafka (kafka.apache.org/protocol), request and response schemas.
import { connect } from 'node:net';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** A frame that a broker has answered, read from front to back. */
export class ResponseReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#advance(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  /** Offsets stay far below 2^53 on a throw-away broker. */
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#advance(8)));
  }

  string(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  array<T>(readItem: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, readItem);
  }

  #advance(bytes: number): number {
    const start = this.#position;
    this.#position += bytes;
    return start;
  }
}

export const int8 = (value: number): Buffer => Buffer.from([value & 0xff]);

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

export function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([int16(bytes.length), bytes]);
}

export function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(items.length), ...items]);
}

export interface ApiRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly body: Buffer;
  /** For the answer to arrive, connecting included. */
  readonly timeoutMs: number;
}

/** Sends one request on a connection of its own. @throws when no whole answer arrives in time */
export function callBroker({ host, port }: BrokerAddress, request: ApiRequest): Promise<ResponseReader> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const chunks: Buffer[] = [];
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`Kafka at ${host}:${port} ${reason}`));
    };
    const timer = setTimeout(() => fail(`did not answer within ${request.timeoutMs} ms`), request.timeoutMs);
    socket.once('connect', () => socket.write(frameOf(request)));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const frame = wholeFrame(chunks);
      if (frame === undefined) return;
      socket.destroy();
      resolve(new ResponseReader(frame));
    });
    socket.once('error', (error) => fail(`cannot be reached: ${error.message}`));
    socket.once('close', () => {
      clearTimeout(timer);
      fail('closed the connection');
    });
  });
}

// Header version 1, which all request versions that we use have: api key, version, correlation id, client id.
function frameOf({ apiKey, apiVersion, body }: ApiRequest): Buffer {
  const payload = Buffer.concat([int16(apiKey), int16(apiVersion), int32(1), string('test-harness'), body]);
  return Buffer.concat([int32(payload.length), payload]);
}

/** Without its length and correlation id; undefined while bytes are missing. */
function wholeFrame(chunks: Buffer[]): Buffer | undefined {
  const bytes = Buffer.concat(chunks);
  if (bytes.length < 8 || bytes.length < 4 + bytes.readInt32BE(0)) return undefined;
  return bytes.subarray(8);
}
