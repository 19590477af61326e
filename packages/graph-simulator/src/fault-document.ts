// Faults as JSON: what a control call or a file may ask for, checked and made into rules.
import { z } from 'zod';
import { FAULT_KINDS, type Fault, type FaultableItem } from './fault-rules.ts';
import { FORGERIES } from './forgery-kinds.ts';
import { parseResourcePath } from './resource-path.ts';

const durationMs = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

const TIMES = z
  .union([z.number().int().min(0), z.literal('always')], { error: 'must be a whole number, or "always"' })
  .transform((times) => (times === 'always' ? Number.POSITIVE_INFINITY : times));

const PATTERN = z.string().transform((source, context) => {
  try {
    return new RegExp(source);
  } catch (cause) {
    context.addIssue({ code: 'custom', message: (cause as Error).message });
    return z.NEVER;
  }
});

const CANONICAL = z.string().transform((path, context) => {
  try {
    return parseResourcePath(path).key;
  } catch (cause) {
    context.addIssue({ code: 'custom', message: (cause as Error).message });
    return z.NEVER;
  }
});

const SPAN = {
  times: TIMES.optional(),
  after: z.number().int().min(0).optional(),
  share: z.number().min(0).max(1).optional(),
  forMs: durationMs.optional(),
};

const REQUEST = z.strictObject({
  on: z.literal('request'),
  ...SPAN,
  eachForMs: durationMs.optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  pathPattern: PATTERN.optional(),
  delayMs: durationMs.optional(),
  status: z.number().int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  kind: z.enum(FAULT_KINDS).optional(),
});

const DELIVERY = z.strictObject({
  on: z.literal('delivery'),
  ...SPAN,
  subscriptionId: z.string().optional(),
  resource: CANONICAL.optional(),
  resourcePattern: PATTERN.optional(),
  changeType: z.enum(['created', 'updated', 'deleted']).optional(),
  drop: z.literal(true).optional(),
  forge: z.enum(FORGERIES).optional(),
  duplicate: z.literal(true).optional(),
  delayMs: durationMs.optional(),
  reorder: z.literal(true).optional(),
});

const CONSENT = z.strictObject({
  on: z.literal('consent'),
  forMs: durationMs.optional(),
  clientId: z.string().optional(),
  tenantId: z.string().optional(),
  resource: z.string().optional(),
  at: z.enum(['graph', 'login']).optional(),
});

const CLOCK = z.strictObject({
  on: z.literal('clock'),
  forMs: durationMs.optional(),
  skewMs: z.number().int(),
});

const THROTTLE = z.strictObject({
  on: z.literal('throttle'),
  ...SPAN,
  scope: z.enum(['application', 'tenant', 'mailbox']),
  clientId: z.string().optional(),
  tenantId: z.string().optional(),
  mailbox: CANONICAL.optional(),
  limit: z.enum(['concurrency', 'requests']).optional(),
  retryAfterMs: durationMs.optional(),
});

type RequestDocument = z.output<typeof REQUEST>;
type DeliveryDocument = z.output<typeof DELIVERY>;

type Issue = (path: string, message: string) => void;

function checkRequest({ path, pathPattern, ...fault }: RequestDocument, issue: Issue): void {
  if (path !== undefined && pathPattern !== undefined) issue('pathPattern', 'cannot be combined with "path"');
  const { delayMs, status, body, kind } = fault;
  if ([delayMs, status, body, kind].every((effect) => effect === undefined)) {
    issue('kind', 'one of "kind", "status", "body" and "delayMs" has to say what goes wrong');
  }
}

function checkThrottle({ scope, mailbox, limit }: z.output<typeof THROTTLE>, issue: Issue): void {
  if (scope === 'mailbox') return;
  if (mailbox !== undefined) issue('mailbox', 'needs "scope": "mailbox"');
  if (limit !== undefined) issue('limit', 'needs "scope": "mailbox"');
}

function checkDelivery({ drop, forge, duplicate, delayMs, reorder }: DeliveryDocument, issue: Issue): void {
  // A forged notification may come beside the true one.
  const effects = [drop, forge, forge === undefined ? duplicate : undefined, delayMs, reorder];
  if (effects.filter((effect) => effect !== undefined).length === 1) return;
  issue('drop', 'exactly one of "drop", "forge", "duplicate", "delayMs" and "reorder" has to be there');
}

function deliveryMatch(fault: DeliveryDocument): (item: FaultableItem) => boolean {
  const { subscriptionId, resource, resourcePattern, changeType } = fault;
  return (item) =>
    (subscriptionId === undefined || item.subscriptionId === subscriptionId) &&
    (resource === undefined || item.resource === resource) &&
    (resourcePattern === undefined || resourcePattern.test(item.resource)) &&
    (changeType === undefined || item.changeType === changeType);
}

/** Leaves out what is not there, which a rule tells from what is there and undefined. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

type StateDocument = z.output<typeof CONSENT> | z.output<typeof CLOCK> | z.output<typeof THROTTLE>;
type AnyDocument = RequestDocument | DeliveryDocument | StateDocument;

function toFault(document: AnyDocument): Fault {
  if (document.on === 'request') {
    const { path, pathPattern, ...fault } = document;
    return present({ ...fault, path: pathPattern ?? path }) as Fault;
  }
  if (document.on !== 'delivery') return present(document) as Fault;
  const {
    subscriptionId: _id,
    resource: _path,
    resourcePattern: _pattern,
    changeType: _type,
    ...fault
  } = document;
  return present({ ...fault, match: deliveryMatch(document) }) as Fault;
}

const KINDS_OF_FAULT = z
  .discriminatedUnion('on', [REQUEST, DELIVERY, CONSENT, CLOCK, THROTTLE])
  .superRefine((document, context) => {
    const issue: Issue = (path, message) => context.addIssue({ code: 'custom', path: [path], message });
    if (document.on === 'request') checkRequest(document, issue);
    if (document.on === 'delivery') checkDelivery(document, issue);
    if (document.on === 'throttle') checkThrottle(document, issue);
  });

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A fault of a call, unless `on` says otherwise. */
export const FAULT_DOCUMENT = z.preprocess(
  (value) => (isObject(value) && !('on' in value) ? { on: 'request', ...value } : value),
  KINDS_OF_FAULT.transform(toFault),
);

/** The first thing that is wrong, in one line that names where: "faults[2].status: …". */
export function documentError(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'The document is not valid.';
  const path = issue.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  const where = path.replace(/^\./, '');
  return where === '' ? issue.message : `${where}: ${issue.message}`;
}
