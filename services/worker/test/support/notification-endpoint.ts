/** What Graph calls when a subscription is made: an endpoint that answers the handshake, or answers it wrongly. */
import express from 'express';
import { startHttpPeer } from './http-peer.ts';

export type NotificationEndpoint = {
  readonly url: string;
  /** Handshakes so far. */
  readonly hits: number;
  /** 404 for every handshake from now on, or no more. */
  break(isBroken: boolean): void;
};

export async function startNotificationEndpoint(): Promise<NotificationEndpoint> {
  let isBroken = false;
  const app = express();
  app.post('/events', (request, response) => {
    if (isBroken) response.sendStatus(404);
    else response.type('text/plain').send(String(request.query.validationToken));
  });
  const peer = await startHttpPeer(app);
  return {
    url: `${peer.url}/events`,
    get hits() {
      return peer.hits;
    },
    break(broken) {
      isBroken = broken;
    },
  };
}
