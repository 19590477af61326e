/**
 * The admin port: health for the platform, metrics for Prometheus, status page and Bull Board for people. A listener of
 * its own, so that no routing mistake makes it public; pages need the password, and are off without one.
 */
import { createServer, type Server } from 'node:http';
import { type Logger, listen } from '@graph2kafka/shared';
import type { Queue } from 'bullmq';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import { basicAuth, type Login } from './basic-auth.ts';
import { bullBoard } from './bull-board.ts';
import { renderStatus, type Status } from './status-page.ts';

export type AdminDeps = {
  readonly registry: Registry;
  readonly queues: readonly Queue[];
  /** Bull Board shows jobs, and has no button that changes one. */
  readonly queuesReadOnly: boolean;
  readonly readStatus: () => Promise<Status>;
  /** Page of the subscriptions; `query` is what stands behind the `?`. */
  readonly renderFleet: (query: URLSearchParams) => Promise<string>;
  /** Real round trips to Redis and Kafka; a line for each thing that is not well. */
  readonly findProblems: () => Promise<readonly string[]>;
  /** A line for each tenant that Graph refuses now. */
  readonly findPauses: () => Promise<readonly string[]>;
  /** Looked at with each request, since the password may be replaced. */
  readonly login: Login | undefined;
  readonly log: Logger;
};

export function createAdminApp(deps: AdminDeps): Express {
  const { registry, findProblems, findPauses, readStatus, renderFleet, login, log } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.use(plainHeaders);
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  app.get('/readyz', async (_request, response) => {
    const [problems, pauses] = await Promise.all([findProblems(), findPauses()]);
    response
      .status(problems.length === 0 ? 200 : 503)
      .json({ status: problems.length === 0 ? 'ready' : 'not ready', problems, pauses });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  if (login) {
    const auth = basicAuth(login);
    app.get('/', auth, async (_request, response) => {
      response.type('html').send(renderStatus(await readStatus()));
    });
    app.get('/subscriptions', auth, async ({ url }, response) => {
      response.type('html').send(await renderFleet(new URL(url, 'http://localhost').searchParams));
    });
    app.use('/queues', auth, bullBoard({ queues: deps.queues, readOnly: deps.queuesReadOnly }));
  }
  app.use((_request, response) => {
    response
      .status(404)
      .json({ error: login ? 'no such path' : 'no such path; pages are off without ADMIN_PASSWORD' });
  });
  app.use(hideErrors(log));
  return app;
}

/** Express would answer with a page that holds the stack trace. */
function hideErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    log.error({ err: error }, 'admin.failed');
    if (response.headersSent) next(error);
    else response.status(500).json({ error: 'internal error' });
  };
}

/** Of helmet's headers those that hold for Bull Board's page as well, whose scripts a strict policy would stop. */
const plainHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'SAMEORIGIN',
    'Referrer-Policy': 'no-referrer',
  });
  next();
};

export type AdminServer = { readonly port: number; close(): Promise<void> };

/** Rejects with a `ConfigError` where the port is taken. */
export async function startAdminServer(app: Express, host: string, port: number): Promise<AdminServer> {
  const server: Server = createServer(app);
  return {
    port: await listen(server, { port, host, setting: 'ADMIN_PORT' }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
