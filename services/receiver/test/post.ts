// One HTTP request exactly as a test wants it, and its answer to the byte.
import { type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  readonly ms: number;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** A POST of JSON as Graph sends it. */
export function post(
  url: string,
  body: string | Buffer,
  headers: RequestOptions['headers'] = {},
): Promise<Answer> {
  return send(url, { body, headers: { ...JSON_TYPE, ...headers } });
}

export function get(url: string): Promise<Answer> {
  return send(url, { method: 'GET' });
}

/** @throws when the connection ends without an answer */
export function send(
  url: string,
  { method = 'POST', headers = {}, body = '' }: RequestOptions,
): Promise<Answer> {
  const startedAt = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sending = request(url, { method, agent: false, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const { statusCode: status = 0, headers: answered } = response;
      const ms = performance.now() - startedAt;
      resolve({ status, headers: answered, body: bytes, text: bytes.toString('utf8'), ms });
    });
  });
  // A body that is refused half-way breaks the connection under what is still being sent; the answer counts.
  sending.on('error', reject);
  sending.end(body);
  return promise;
}
