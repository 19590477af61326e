/** What Graph answers to a `$batch`: each part on its own, in any order (Graph: json-batching). Pure. */
import { z } from 'zod';
import { failureOfAnswer, type GraphFailure } from './graph-error.ts';

export type PartAnswer =
  | { readonly ok: true; readonly status: number; readonly body: unknown }
  | { readonly ok: false; readonly failure: GraphFailure };

const batchSchema = z.object({ responses: z.array(z.unknown()) });

const namedSchema = z.object({ id: z.string() });

const partSchema = z.object({
  status: z.int().min(100).max(599),
  headers: z.record(z.string(), z.unknown()).nullish(),
  body: z.unknown().optional(),
});

/**
 * The answers of the parts named `ids`, in that order; `undefined` where this is no answer of a batch at all. What was
 * not asked for is left out. `now` in epoch milliseconds.
 */
export function readBatchAnswer(
  body: unknown,
  ids: readonly string[],
  now: number,
): readonly PartAnswer[] | undefined {
  const batch = batchSchema.safeParse(body);
  if (!batch.success) return undefined;
  const byId = Map.groupBy(batch.data.responses, (part) => namedSchema.safeParse(part).data?.id);
  return ids.map((id) => answerOf(byId.get(id) ?? [], now));
}

function answerOf(parts: readonly unknown[], now: number): PartAnswer {
  // Nothing was said of it, so that it is asked for again.
  if (parts.length === 0) return failed({ kind: 'transient', detail: 'the batch has no answer for it' });
  if (parts.length > 1) return failed({ kind: 'unusable', detail: 'the batch has two answers for it' });
  const part = partSchema.safeParse(parts[0]);
  if (!part.success) return failed({ kind: 'unusable', detail: 'the answer in the batch has no status' });
  const { status, headers, body } = part.data;
  if (status < 200 || status >= 300) {
    return failed(failureOfAnswer(status, headerOf(headers ?? {}), body, now));
  }
  if ((body === undefined || body === null) && status !== 202 && status !== 204) {
    return failed({ kind: 'unusable', detail: 'the answer in the batch is empty' });
  }
  return { ok: true, status, body: body ?? undefined };
}

function failed(failure: GraphFailure): PartAnswer {
  return { ok: false, failure };
}

/** Parts write the names of their headers in any case, and numbers also without quotes. */
function headerOf(headers: Readonly<Record<string, unknown>>): (name: string) => string | null {
  return (name) => {
    const [, value] = Object.entries(headers).find(([given]) => given.toLowerCase() === name) ?? [];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
  };
}
