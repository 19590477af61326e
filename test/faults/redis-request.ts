/** One command to a Redis over a connection of its own: enough to look at what the product has left, and to hurt it. */
import { connect } from 'node:net';

export type RedisReply = string | number | null | readonly RedisReply[];

/** A frozen Redis accepts the connection and says nothing. */
const TIMEOUT_MS = 3000;

/** @throws where Redis answers with an error, does not answer, or closes the connection first */
export function requestRedis(port: number, ...command: readonly string[]): Promise<RedisReply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`Redis, ${command[0]}: ${reason}`));
    };
    socket.setTimeout(TIMEOUT_MS, () => fail(`no answer within ${TIMEOUT_MS} ms`));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('the connection was closed'));
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      const parsed = parseReply(received, 0);
      if (parsed === undefined) return;
      if (parsed.value instanceof Error) return fail(parsed.value.message);
      socket.destroy();
      resolve(parsed.value);
    });
    socket.write(encodeCommand(command), 'latin1');
  });
}

function encodeCommand(command: readonly string[]): string {
  const parts = command.map(
    (part) => `$${Buffer.byteLength(part)}\r\n${Buffer.from(part).toString('latin1')}\r\n`,
  );
  return `*${command.length}\r\n${parts.join('')}`;
}

type Parsed = { readonly value: RedisReply | Error; readonly end: number };

/** RESP2; `undefined` while the reply is not complete. */
function parseReply(text: string, start: number): Parsed | undefined {
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd < 0) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (text[start]) {
    case '+':
      return { value: line, end: next };
    case '-':
      return { value: new Error(line), end: next };
    case ':':
      return { value: Number(line), end: next };
    case '$':
      return parseBulk(text, Number(line), next);
    case '*':
      return parseArray(text, Number(line), next);
    default:
      throw new Error(`no reply of Redis begins with ${text[start]}`);
  }
}

function parseBulk(text: string, length: number, start: number): Parsed | undefined {
  if (length < 0) return { value: null, end: start };
  const end = start + length;
  return text.length < end + 2 ? undefined : { value: text.slice(start, end), end: end + 2 };
}

function parseArray(text: string, length: number, start: number): Parsed | undefined {
  if (length < 0) return { value: null, end: start };
  const items: RedisReply[] = [];
  let end = start;
  for (let i = 0; i < length; i++) {
    const item = parseReply(text, end);
    if (item === undefined) return undefined;
    if (item.value instanceof Error) return item;
    items.push(item.value);
    end = item.end;
  }
  return { value: items, end };
}
