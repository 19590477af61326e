/** `GET /metrics` on a port of its own, which no route of the public one leads to. */
import { createServer, type Server } from 'node:http';
import { type Logger, listen } from '@graph2kafka/shared';
import type { Registry } from 'prom-client';

export type MetricsServer = { readonly port: number; close(): Promise<void> };

/** Rejects with a `ConfigError` where the port is taken. */
export async function startMetricsServer(
  registry: Registry,
  { host, port }: { readonly host: string; readonly port: number },
  log: Logger,
): Promise<MetricsServer> {
  const server = createMetricsServer(registry, log);
  return {
    port: await listen(server, { port, host, setting: 'METRICS_PORT' }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createMetricsServer(registry: Registry, log: Logger): Server {
  return createServer({ headersTimeout: 5000, requestTimeout: 5000 }, (request, response) => {
    request.resume();
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"error":"no such path"}');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'metrics.failed');
        response.writeHead(500).end();
      },
    );
  });
}
