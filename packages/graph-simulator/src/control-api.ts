// The calls under /simulator: a developer's hand on the simulator. Without a token, as it listens on loopback.
import express, { type Request, type Router } from 'express';
import { z } from 'zod';
import { answerControlError, ControlError } from './control-error.ts';
import { createFaultControl, type FaultControlDeps } from './fault-control.ts';
import { documentError } from './fault-document.ts';
import { createItemControl } from './item-control.ts';
import type { EndpointReport, NotifierCounters } from './notifier.ts';
import { parseResourcePath, type ResourcePath, ResourcePathError } from './resource-path.ts';
import { createSubscriptionControl, type SubscriptionControlDeps } from './subscription-control.ts';
import type { HeldTenant } from './tenants.ts';

export interface SimulatorState {
  readonly changes: number;
  readonly resources: number;
  readonly subscriptions: number;
  readonly lifeRunning: boolean;
  readonly notifications: NotifierCounters;
  readonly endpoints: readonly EndpointReport[];
}

export interface ControlApiDeps extends FaultControlDeps, SubscriptionControlDeps {
  /** The first one without an id. */
  readonly tenant: (tenantId: string | undefined) => HeldTenant | undefined;
  readonly state: () => SimulatorState;
}

/** More is beyond what one process can make. */
const MOST_CHANGES_PER_SECOND = 5_000;

const LIFE = z.strictObject({
  changesPerSecond: z.number().positive().max(MOST_CHANGES_PER_SECOND),
  users: z.number().int().positive().max(100_000).optional(),
  seed: z.number().int().optional(),
});

/** The tenant that `?tenant=` names, the first one without it. */
function tenantOf({ tenant }: ControlApiDeps, request: Request): HeldTenant {
  const { tenant: named } = request.query;
  const found = tenant(named === undefined ? undefined : String(named));
  if (found === undefined) throw new ControlError(404, `There is no tenant ${String(named)}.`);
  return found;
}

function resourceState({ data }: HeldTenant, text: string): Record<string, unknown> | undefined {
  let path: ResourcePath;
  try {
    path = data.resolve(parseResourcePath(text));
  } catch (cause) {
    if (cause instanceof ResourcePathError) return undefined;
    throw cause;
  }
  const stored = data.resources.get(path);
  return (
    stored && { resource: stored.path.key, version: stored.version, etag: stored.etag, body: stored.body }
  );
}

export function createControlApi(deps: ControlApiDeps): Router {
  const router = express.Router();
  router.use(express.json());
  router.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/users', (request, response) => {
    response.json({ value: tenantOf(deps, request).users() });
  });
  router.get('/state', (_request, response) => {
    response.json(deps.state());
  });
  router.post('/life', (request, response) => {
    const { success, data, error } = LIFE.safeParse(request.body);
    if (!success) throw new ControlError(400, documentError(error));
    const { changesPerSecond, users, seed } = data;
    tenantOf(deps, request).life.start({
      changesPerSecond,
      ...(users !== undefined && { users }),
      ...(seed !== undefined && { seed }),
    });
    response.status(202).json({ changesPerSecond });
  });
  router.delete('/life', (request, response) => {
    tenantOf(deps, request).life.stop();
    response.status(204).end();
  });
  router.use('/resources', (request, response) => {
    const found = resourceState(tenantOf(deps, request), request.path);
    if (found === undefined) throw new ControlError(404, `There is no resource at ${request.path}.`);
    response.json(found);
  });
  router.use(createFaultControl(deps));
  router.use(createSubscriptionControl(deps));
  router.use(createItemControl((request) => tenantOf(deps, request).data));
  router.use((request) => {
    throw new ControlError(404, `There is no call ${request.method} ${request.originalUrl}.`);
  });
  router.use(answerControlError);
  return router;
}
