// Asks a Redis server whether it is ready, in the few bytes that takes.
import { connect } from 'node:net';

// A server that has not answered a PING on loopback within this is not ready.
const PROBE_TIMEOUT_MS = 1_000;

/** False while it loads its append-only file (it answers -LOADING), is frozen, or does not listen. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
    socket.once('connect', () => socket.write('*1\r\n$4\r\nPING\r\n'));
    // A status reply this short arrives whole on loopback.
    socket.once('data', (reply) => answer(reply.toString('latin1').startsWith('+PONG')));
  });
}
