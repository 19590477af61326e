/** Limits and life of the HTTP listener: nobody may hold it for long, and closing it waits for who is being served. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { boundConnections } from './bound-connections.ts';

/** Graph sends headers and body at once; whoever needs longer is not Graph. */
export function createLimitedServer(answer: RequestListener, maxConnections: number): Server {
  const limits = {
    headersTimeout: 5000,
    requestTimeout: 8000,
    // How often Node looks for those that take longer: 30 s by default, which would make 5 s up to 35.
    connectionsCheckingInterval: 1000,
    // Longer than the idle time of the usual load balancers (60 s), or they would meet closed connections.
    keepAliveTimeout: 65_000,
    // Node's own default, said here because docs/operations.md does.
    maxHeaderSize: 16_384,
  };
  // What a connection had sent before it was closed is still parsed, and nobody is left to answer.
  const answerOpen: RequestListener = (request, response) => {
    if (!request.socket.destroyed) answer(request, response);
  };
  const server = createServer(limits, answerOpen);
  // Silence in the midst of a request, also of a client that does not take its answers.
  server.setTimeout(10_000);
  // Whoever asks before sending (Expect: 100-continue) is answered before sending where it is a refusal.
  server.on('checkContinue', answerOpen);
  boundConnections(server, maxConnections);
  return server;
}

/** An answer takes 2 s at most: whoever is still here after this has not sent a whole request. */
const LONGEST_ANSWER_MS = 3000;

/** Takes no new connection, lets requests under way end, drops connections that idle, and after 3 s all. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  // A connection that becomes idle after this point would be kept open by the client.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  const cut = setTimeout(() => server.closeAllConnections(), LONGEST_ANSWER_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
