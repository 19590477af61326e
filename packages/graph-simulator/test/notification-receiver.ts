// An app's endpoint for the tests: echoes validation tokens, keeps what it is sent, answers as it is told.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedPost {
  readonly path: string;
  readonly contentType: string;
  readonly at: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into items of every shape
  readonly items: any[];
  /** As sent: null, absent and a list differ. */
  readonly validationTokens?: readonly string[] | null;
}

export interface Validation {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
}

export interface ReceiverOptions {
  /** The status for the n-th POST of notifications (from 1), or 'hang' for no answer. 202 unless said. */
  readonly answer?: (post: ReceivedPost, n: number) => number | 'hang';
  /** What to do with a validation token; echoes it as it must unless said. */
  readonly validate?: (token: string, response: ServerResponse) => void;
}

export interface NotificationReceiver extends AsyncDisposable {
  readonly url: string;
  readonly posts: ReceivedPost[];
  readonly validations: Validation[];
  /** All items of all POSTs, answered with 2xx or not. */
  readonly items: () => ReceivedPost['items'];
  /** How many connections were ever opened. */
  readonly connections: () => number;
}

export function echo(token: string, response: ServerResponse): void {
  response.setHeader('content-type', 'text/plain');
  response.end(token);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export async function startReceiver(options: ReceiverOptions = {}): Promise<NotificationReceiver> {
  const posts: ReceivedPost[] = [];
  const validations: Validation[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const token = url.searchParams.get('validationToken');
    const contentType = request.headers['content-type'] ?? '';
    const body = await readBody(request);
    if (token !== null) {
      validations.push({ url: request.url ?? '', contentType, body });
      (options.validate ?? echo)(token, response);
      return;
    }
    const { value: items, ...rest } = JSON.parse(body);
    const post = { path: url.pathname, contentType, at: Date.now(), items, ...rest };
    posts.push(post);
    const status = options.answer?.(post, posts.length) ?? 202;
    if (status !== 'hang') response.writeHead(status).end();
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    posts,
    validations,
    items: () => posts.flatMap((post) => post.items),
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
