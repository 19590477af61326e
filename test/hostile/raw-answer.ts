/** HTTP/1.1 by hand: requests to the byte, also such as no client would send, and what came back, in order. */
import { connect, type Socket } from 'node:net';
import { JSON_TYPE, type Post } from './hostile-case.ts';

export type RawAnswer = {
  readonly status: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** The bytes of a request; its length is said unless a header of it does. */
export function bytesOf({ method = 'POST', target = '/events', headers = [JSON_TYPE], body }: Post): Buffer {
  const content = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: receiver.example'];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${content.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), content]);
}

/** The complete answers in what has come, and how many bytes they take. `bodiless`: to a HEAD. */
export function parseAnswers(received: Buffer, bodiless = false): { answers: RawAnswer[]; taken: number } {
  const answers: RawAnswer[] = [];
  let taken = 0;
  for (;;) {
    const headEnd = received.indexOf('\r\n\r\n', taken);
    if (headEnd < 0) return { answers, taken };
    const [first = '', ...lines] = received.toString('latin1', taken, headEnd).split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => headerOf(line)));
    const status = Number(first.split(' ')[1]);
    const length = bodiless || status < 200 ? 0 : Number(headers['content-length'] ?? 0);
    const end = headEnd + 4 + length;
    if (received.length < end) return { answers, taken };
    answers.push({ status, headers, body: received.subarray(headEnd + 4, end) });
    taken = end;
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

const ANSWER_WITHIN_MS = 15_000;

/** Sends one request on a connection of its own. @throws where no answer comes, or the connection ends before it */
export function exchange(port: number, request: Buffer, bodiless = false): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  const take = () => {
    const [answer] = parseAnswers(received, bodiless).answers;
    if (answer) resolve(answer);
    return answer !== undefined;
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (take()) socket.destroy();
  });
  socket.on('error', (error) => reject(error));
  socket.on('close', () => reject(new Error(`closed after ${JSON.stringify(received.toString('latin1'))}`)));
  socket.setTimeout(ANSWER_WITHIN_MS, () => {
    reject(new Error('no answer'));
    socket.destroy();
  });
  socket.write(request);
  return promise;
}

/** All that comes on a connection until the other side ends it. */
export async function untilEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.on('error', () => undefined);
  });
  return Buffer.concat(chunks).toString('latin1');
}
