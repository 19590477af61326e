/**
 * How many connections there may be, and how many requests at once on each. One more connection costs the one that has rested longest, or, where none rests,
 * the one that has been sending its request longest: whoever holds thousands open pushes out their own, and not others.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Graph does not pipeline; whoever sends more without waiting for answers would make others wait for theirs. */
const MOST_REQUESTS_AT_ONCE = 8;

export function boundConnections(server: Server, most: number): void {
  /** In order of their last answer, or of their opening. */
  const resting = new Set<Socket>();
  /** With the requests under way on each, in order of their beginning. */
  const busy = new Map<Socket, Set<IncomingMessage>>();

  function begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (socket.destroyed) return;
    resting.delete(socket);
    const requests = busy.get(socket) ?? new Set();
    if (requests.size >= MOST_REQUESTS_AT_ONCE) return void socket.destroy();
    busy.set(socket, requests.add(request));
    response.once('close', () => {
      requests.delete(request);
      if (requests.size > 0 || busy.get(socket) !== requests) return;
      busy.delete(socket);
      if (!socket.destroyed) resting.add(socket);
    });
  }

  function makeRoom(newcomer: Socket): void {
    const [longestResting] = resting;
    const victim = longestResting ?? longestSending() ?? newcomer;
    resting.delete(victim);
    busy.delete(victim);
    victim.destroy();
  }

  /** Never one whose request is complete: it is being stored, and its answer is due within 2 s. */
  function longestSending(): Socket | undefined {
    for (const [socket, requests] of busy)
      if (requests.values().some(({ complete }) => !complete)) return socket;
    return undefined;
  }

  server.on('connection', (socket: Socket) => {
    if (resting.size + busy.size >= most) makeRoom(socket);
    if (socket.destroyed) return;
    resting.add(socket);
    socket.once('close', () => {
      resting.delete(socket);
      busy.delete(socket);
    });
  });
  server.prependListener('request', begin);
  server.prependListener('checkContinue', begin);
}
