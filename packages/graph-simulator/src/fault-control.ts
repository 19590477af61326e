// The control calls for faults: single rules, scripts, the list of what was inflicted, and the signing keys.
import { Router } from 'express';
import { z } from 'zod';
import { ControlError } from './control-error.ts';
import { documentError, FAULT_DOCUMENT } from './fault-document.ts';
import { FaultDocumentError, type FaultScriptRunner, parseFaultScript } from './fault-script.ts';
import type { Faults } from './faults.ts';
import type { ValidationKeys } from './validation-keys.ts';

export interface FaultControlDeps {
  readonly faults: Faults;
  readonly faultScript: FaultScriptRunner;
  readonly keys: ValidationKeys;
}

const ROTATION = z.strictObject({ forget: z.boolean().optional() });

function readScript(body: unknown): ReturnType<typeof parseFaultScript> {
  try {
    return parseFaultScript(body);
  } catch (cause) {
    if (cause instanceof FaultDocumentError) throw new ControlError(400, cause.message);
    throw cause;
  }
}

function checked<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const { success, data, error } = schema.safeParse(body);
  if (!success) throw new ControlError(400, documentError(error));
  return data;
}

function ruleRoutes({ faults }: FaultControlDeps): Router {
  const router = Router();
  router.get('/inflicted', (_request, response) => {
    response.json({ value: faults.inflicted });
  });
  router.get('/', (_request, response) => {
    response.json({ value: faults.list() });
  });
  router.post('/', (request, response) => {
    const { id } = faults.add(checked(FAULT_DOCUMENT, request.body));
    response.status(201).json({ id });
  });
  router.delete('/', (_request, response) => {
    faults.clear();
    response.status(204).end();
  });
  router.delete('/:id', (request, response) => {
    const { id } = request.params;
    if (!faults.remove(Number(id))) throw new ControlError(404, `There is no fault ${id}.`);
    response.status(204).end();
  });
  return router;
}

function scriptRoutes({ faultScript }: FaultControlDeps): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    response.json(faultScript.state());
  });
  router.post('/', (request, response) => {
    const script = readScript(request.body);
    if (faultScript.state().isRunning) {
      throw new ControlError(409, 'A script is running; DELETE /simulator/fault-script ends it.');
    }
    faultScript.start(script);
    response.status(202).json(faultScript.state());
  });
  router.delete('/', (_request, response) => {
    faultScript.stop();
    response.status(204).end();
  });
  return router;
}

/** Mounted under /simulator. */
export function createFaultControl(deps: FaultControlDeps): Router {
  const router = Router();
  router.use('/faults', ruleRoutes(deps));
  router.use('/fault-script', scriptRoutes(deps));
  router.post('/validation-keys/rotate', async (request, response) => {
    const { forget = false } = checked(ROTATION, request.body ?? {});
    const { kid } = await deps.keys.rotate({ forget });
    response.json({ kid });
  });
  return router;
}
