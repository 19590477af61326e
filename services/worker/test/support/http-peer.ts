/** A plain HTTP listener on loopback for one test: answers that the simulator cannot give, and canaries. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type HttpPeer = {
  readonly url: string;
  /** Requests so far. */
  readonly hits: number;
  /** Connections so far, also those that never became a request. */
  readonly connections: number;
  /** Connections open now. */
  countConnections(): Promise<number>;
};

/** Listens on a free port until the test ends. */
export async function startHttpPeer(answer: RequestListener): Promise<HttpPeer> {
  let [hits, connections] = [0, 0];
  const server = createServer((request, response) => {
    hits++;
    answer(request, response);
  });
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get hits() {
      return hits;
    },
    get connections() {
      return connections;
    },
    countConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  };
}
