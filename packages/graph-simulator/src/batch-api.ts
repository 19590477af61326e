// POST /$batch: runs the parts as calls of their own and collects their answers, in no particular order.
import { type BatchPart, readBatch } from './batch-rules.ts';
import { faultyPart } from './faulty-part.ts';
import { type GraphCallsDeps, runPart } from './graph-calls.ts';
import {
  errorBody,
  type GraphAnswer,
  GraphError,
  type GraphRequest,
  type JsonObject,
} from './graph-exchange.ts';
import { mailboxOf } from './request-limits.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface BatchApiDeps {
  readonly calls: () => GraphCallsDeps;
  readonly random: SeededRandom;
  readonly now: () => number;
}

/** Graph page "Throttling limits": whatever their mailboxes, so many parts for Outlook run at once in one batch. */
const OUTLOOK_PARTS_AT_ONCE = 4;

/** Lets so many in at once, the others in the order of asking. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  return items
    .map((item) => [random.next(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

const GRAPH_JSON =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8';

/** "retry-after" → "Retry-After": parts carry their headers as text that SDKs look up with or without case. */
const headerName = (name: string) =>
  name === 'etag' ? 'ETag' : name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

function partAnswer({ id }: BatchPart, { status, headers = {}, body, text }: GraphAnswer): JsonObject {
  const named = Object.entries(headers).map(([name, value]) => [headerName(name), value]);
  const content = body === undefined ? {} : { 'Content-Type': GRAPH_JSON };
  return { id, status, headers: { ...content, ...Object.fromEntries(named) }, body: body ?? text ?? null };
}

function failedDependency(deps: BatchApiDeps, { id }: BatchPart): GraphAnswer {
  const text = `Request id : ${id} depends on a request that has failed.`;
  const ids = { requestId: id, clientRequestId: id };
  return { status: 424, body: errorBody('FailedDependency', text, ids, deps.now()) };
}

function isOutlook(deps: BatchApiDeps, { url }: BatchPart, tenantId: string): boolean {
  const { path } = deps.calls().describe(url.split('?')[0] ?? '', tenantId);
  return path !== undefined && mailboxOf(path) !== undefined;
}

async function runParts(
  deps: BatchApiDeps,
  request: GraphRequest,
  parts: readonly BatchPart[],
): Promise<JsonObject[]> {
  const isOrdered = parts.some(({ dependsOn }) => dependsOn.length > 0);
  const gate = new Gate(isOrdered ? 1 : OUTLOOK_PARTS_AT_ONCE);
  const answers = new Map<string, Promise<GraphAnswer>>();
  const run = async (part: BatchPart): Promise<GraphAnswer> => {
    const parents = await Promise.all(part.dependsOn.map((id) => answers.get(id)));
    if (parents.some((parent) => (parent?.status ?? 0) >= 400)) return failedDependency(deps, part);
    const call = () =>
      runPart(deps.calls(), part, request, (fault, ids) => faultyPart(fault, ids, deps.now()));
    return isOutlook(deps, part, request.application.tenantId) ? gate.run(call) : call();
  };
  for (const part of parts) answers.set(part.id, run(part));
  return Promise.all(
    parts.map(async (part) => partAnswer(part, (await answers.get(part.id)) as GraphAnswer)),
  );
}

/** Parts within parts are refused where they stand, as a path that a part cannot have. */
export function createBatchApi(deps: BatchApiDeps): (request: GraphRequest) => Promise<GraphAnswer> {
  return async (request) => {
    if (request.method !== 'POST') throw new GraphError(405, 'BadRequest', 'The method is not allowed here.');
    const parts = readBatch(request.body);
    if (parts.some(({ url }) => /^\/\$batch(\?|$)/i.test(url))) {
      throw new GraphError(400, 'BadRequest', 'A batch cannot hold a batch.');
    }
    const responses = shuffled(await runParts(deps, request, parts), deps.random);
    return { status: 200, body: { responses } };
  };
}
