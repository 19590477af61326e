// The control calls on what the tenant holds: items of every kind made, altered and removed, delta tokens expired.
import express, { type Request, type Router } from 'express';
import { z } from 'zod';
import { ControlError } from './control-error.ts';
import { documentError } from './fault-document.ts';
import { ownerKey, parseResourcePath, ResourcePathError } from './resource-path.ts';
import { NoSuchResourceError, type StoredResource } from './resource-store.ts';
import type { TenantData } from './tenant-data.ts';

const BODY = z.record(z.string(), z.unknown());
const EXPIRE = z.strictObject({
  /** "users/{id}", "users", "groups", "drives/{id}"; all without it. */
  resource: z.string().min(1).optional(),
});

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body ?? {});
  if (!success) throw new ControlError(400, documentError(error));
  return data;
}

/** What is missing or no path is the caller's mistake. */
function answering<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof NoSuchResourceError) throw new ControlError(404, cause.message);
    if (cause instanceof ResourcePathError || cause instanceof TypeError)
      throw new ControlError(400, cause.message);
    throw cause;
  }
}

const view = ({ path, version, etag, body }: StoredResource) => ({ resource: path.key, version, etag, body });

/** @param dataOf what the tenant holds that a call is about */
export function createItemControl(dataOf: (request: Request) => TenantData): Router {
  const router = express.Router();
  router.post('/delta/expire', (request, response) => {
    const { delta, resolve } = dataOf(request);
    const { resource } = checked(EXPIRE, request.body);
    const owner = resource && answering(() => ownerKey(resolve(parseResourcePath(resource))));
    response.json({ expired: delta.expireTokens(owner) });
  });
  router.use('/items', (request, response, next) => {
    const { method, path } = request;
    const { items } = dataOf(request);
    if (method === 'POST') {
      const body = checked(BODY, request.body);
      const folder = /^(.*)\/move$/.exec(path);
      const made = answering(() =>
        folder === null ? items.create(path, body) : items.move(folder[1] ?? '', String(body.destinationId)),
      );
      response.status(201).json(view(made));
    } else if (method === 'PATCH') {
      response.json(view(answering(() => items.update(path, checked(BODY, request.body)))));
    } else if (method === 'DELETE') {
      response.json(view(answering(() => items.remove(path))));
    } else {
      next();
    }
  });
  return router;
}
