/** Routes and answers of the receiver; what it needs is handed in, and it never listens. */
import type { Logger } from '@graph2kafka/shared';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { healthRoutes } from './health-routes.ts';
import { type NotificationRouteDeps, notificationRoute } from './notification-route.ts';
import { refuse } from './refusals.ts';
import type { TrustProxy } from './source-networks.ts';

export type AppDeps = NotificationRouteDeps & {
  readonly log: Logger;
  /** Writes to Redis and reads the answer. */
  readonly probeStorage: () => Promise<void>;
  readonly isStopping: () => boolean;
  /** What a notification request passes before anything else of it is looked at. */
  readonly guards: readonly RequestHandler[];
  readonly trustProxy: TrustProxy;
};

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', deps.trustProxy);
  app.use(helmet());
  app.use(endConnectionWhere(deps.isStopping));
  app.use(healthRoutes(deps));
  // Graph posts to two URLs, which may be one: both take both kinds of notification, and the handshake.
  for (const guard of deps.guards) app.use(['/events', '/lifecycle'], guard);
  app.post(['/events', '/lifecycle'], notificationRoute(deps));
  app.all(['/events', '/lifecycle'], (_request, response) => {
    refuse(response, 'only-post');
  });
  app.use((_request, response) => {
    refuse(response, 'no-such-path');
  });
  app.use(answerError(deps.log));
  return app;
}

/** A client that keeps its connection is led to another receiver with its next request, before this one is gone. */
function endConnectionWhere(isStopping: () => boolean): RequestHandler {
  return (_request, response, next) => {
    if (isStopping()) response.set('Connection', 'close');
    next();
  };
}

/** What Express itself refuses has a status of its own; anything else is ours, and Graph is asked to come again. */
function answerError(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status } = error as { status?: unknown };
    if (typeof status === 'number' && status >= 400 && status < 500) return refuse(response, 'bad-request');
    log.error({ err: error }, 'request.failed');
    refuse(response, 'not-stored');
  };
}
