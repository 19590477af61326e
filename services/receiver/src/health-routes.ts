/** `/healthz`: the process is alive. `/readyz`: what is posted now would be stored. */
import express, { type Router } from 'express';

export type HealthDeps = {
  readonly refusal: () => string | undefined;
  readonly probeStorage: () => Promise<void>;
  readonly isStopping: () => boolean;
};

export function healthRoutes({ refusal, probeStorage, isStopping }: HealthDeps): Router {
  const routes = express.Router();
  const probe = shared(probeStorage);
  routes.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  routes.get('/readyz', async (_request, response) => {
    const reason = isStopping() ? 'stopping' : (refusal() ?? (await failureOf(probe)));
    if (reason === undefined) response.json({ status: 'ready' });
    else response.status(503).json({ status: 'not ready', reason });
  });
  return routes;
}

/** Who asks while an answer is on its way gets that one: a flood of questions costs Redis one write at a time. */
function shared(probe: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= probe().finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function failureOf(probe: () => Promise<void>): Promise<string | undefined> {
  try {
    await probe();
    return undefined;
  } catch {
    return 'Redis does not take writes';
  }
}
