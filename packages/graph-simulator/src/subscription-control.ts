// The control calls for time, subscriptions and endpoints.
import { Router } from 'express';
import { z } from 'zod';
import { ControlError } from './control-error.ts';
import { documentError } from './fault-document.ts';
import type { LifecycleEvent } from './lifecycle-item.ts';
import { type LifecycleNotifications, NoLifecycleError } from './lifecycle-notifications.ts';
import type { EndpointReport } from './notifier.ts';
import type { SimulatorClock } from './simulator-clock.ts';
import { type SubscriptionStore, subscriptionBody } from './subscription-store.ts';

export interface SubscriptionControlDeps {
  readonly clock: SimulatorClock;
  readonly subscriptions: SubscriptionStore;
  readonly lifecycle: LifecycleNotifications;
  readonly endpoints: () => EndpointReport[];
}

/** Beyond it nothing is alive any more: subscriptions live 30 days at most. */
const MOST_DAYS = 366;
const DAY_MS = 86_400_000;

const ADVANCE = z.strictObject({
  advanceMs: z
    .number()
    .min(0)
    .max(MOST_DAYS * DAY_MS),
});
const EVENT = z.strictObject({
  event: z.enum(['reauthorizationRequired', 'subscriptionRemoved', 'missed']),
});

function checked<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const { success, data, error } = schema.safeParse(body);
  if (!success) throw new ControlError(400, documentError(error));
  return data;
}

/** @returns whether a notification is sent */
function send({ lifecycle }: SubscriptionControlDeps, id: string, event: LifecycleEvent): boolean {
  try {
    if (event === 'subscriptionRemoved') return lifecycle.removeSubscription(id);
    if (event === 'missed') lifecycle.missed(id);
    else lifecycle.reauthorizationRequired(id);
    return true;
  } catch (cause) {
    if (cause instanceof NoLifecycleError) throw new ControlError(409, cause.message);
    throw cause;
  }
}

function clockRoutes({ clock }: SubscriptionControlDeps): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    response.json({ now: new Date(clock.now()).toISOString() });
  });
  router.post('/', (request, response) => {
    clock.advance(checked(ADVANCE, request.body).advanceMs);
    response.json({ now: new Date(clock.now()).toISOString() });
  });
  return router;
}

/** Mounted under /simulator. */
export function createSubscriptionControl(deps: SubscriptionControlDeps): Router {
  const { subscriptions, lifecycle } = deps;
  const router = Router();
  router.use('/clock', clockRoutes(deps));
  router.get('/endpoints', (_request, response) => {
    response.json({ value: deps.endpoints() });
  });
  router.get('/subscriptions', (_request, response) => {
    const value = subscriptions.list().map((one) => {
      const { clientState: _secret, ...shown } = subscriptionBody(one);
      return { ...shown, tenantId: one.tenantId, isPaused: lifecycle.isPaused(one.id) };
    });
    response.json({ value });
  });
  router.post('/subscriptions/:id/lifecycle', (request, response) => {
    const { id } = request.params;
    if (subscriptions.get(id) === undefined) throw new ControlError(404, `There is no subscription ${id}.`);
    response.status(202).json({ isSent: send(deps, id, checked(EVENT, request.body).event) });
  });
  return router;
}
