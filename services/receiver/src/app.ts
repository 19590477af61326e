/** Routes and answers of the receiver; what it needs is handed in, and it never listens. */
import type { Logger } from '@graph2kafka/shared';
import express, { type ErrorRequestHandler, type Express } from 'express';
import helmet from 'helmet';
import { healthRoutes } from './health-routes.ts';
import { type NotificationRouteDeps, notificationRoute } from './notification-route.ts';

export type AppDeps = NotificationRouteDeps & {
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** Writes to Redis and reads the answer. */
  readonly probeStorage: () => Promise<void>;
  readonly isStopping: () => boolean;
};

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(helmet());
  app.use(healthRoutes(deps));
  const body = express.raw({ type: 'application/json', limit: deps.maxBodyBytes });
  // Graph posts to two URLs, which may be one: both take both kinds of notification, and the handshake.
  app.post(['/events', '/lifecycle'], body, notificationRoute(deps));
  app.all(['/events', '/lifecycle'], (_request, response) => {
    response.status(405).set('Allow', 'POST').json({ error: 'only POST' });
  });
  app.use((_request, response) => {
    response.status(404).json({ error: 'no such path' });
  });
  app.use(answerError(deps.log));
  return app;
}

/** What the body's reader refuses has a status of its own; anything else is ours, and Graph is asked to come again. */
function answerError(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, type } = error as { status?: unknown; type?: unknown };
    if (typeof status === 'number' && status >= 400 && status < 500) {
      response.status(status).json({ error: String(type ?? 'bad request') });
      return;
    }
    log.error({ err: error }, 'request.failed');
    response.status(503).set('Retry-After', '10').json({ error: 'not stored' });
  };
}
