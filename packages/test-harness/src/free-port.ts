// A free TCP port on loopback, for a server that must be told its port before it starts.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ranges that Linux (32768 and up) and macOS (49152 and up) take the ports of outgoing connections from.
// A port inside them is unsafe for a server that restarts: while it is down, a client that keeps connecting to it
// can be given that very port as its own, connect to itself, and so keep the server from binding again.
const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 32_000;
const MAX_TRIES = 100;

const handedOut = new Set<number>();

/**
 * A port on 127.0.0.1 on which nothing listens now, never the same twice in one process.
 * Another process may still take it before the caller binds: a starter that chose the port itself tries again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (handedOut.has(port) || !(await canListenOn(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`No free port found between ${LOWEST_PORT} and ${HIGHEST_PORT} in ${MAX_TRIES} tries`);
}

function canListenOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
