// A script of faults, written out or drawn from a seed: its document, and the runner that inflicts it.
import { z } from 'zod';
import { documentError, FAULT_DOCUMENT } from './fault-document.ts';
import { PLANNED_KINDS, planFaults, type TimedFault } from './fault-plan.ts';
import { effectOf } from './fault-rules.ts';
import type { FaultHandle, Faults } from './faults.ts';
import type { Clock, ClockTimer } from './simulator-clock.ts';

/** A day; a longer run asks again. */
const MOST_MINUTES = 1_440;

const TIMED_FAULT = z.preprocess(
  (value, context) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      context.addIssue({ code: 'custom', message: 'must be an object' });
      return z.NEVER;
    }
    const { atMs = 0, ...fault } = value as Record<string, unknown>;
    return { atMs, fault };
  },
  z.object({ atMs: z.number().min(0).max(Number.MAX_SAFE_INTEGER), fault: FAULT_DOCUMENT }),
);

const WRITTEN = z.strictObject({ faults: z.array(TIMED_FAULT).min(1) });

const DRAWN = z
  .strictObject({
    seed: z.number().int(),
    minutes: z.number().positive().max(MOST_MINUTES),
    kinds: z.array(z.enum(PLANNED_KINDS)).min(1).optional(),
  })
  .transform((order) => ({ faults: planFaults(order) }));

/** A document that asks for what there is not; one sentence that names where. */
export class FaultDocumentError extends Error {
  override readonly name = 'FaultDocumentError';
}

function schemaFor(document: unknown): typeof WRITTEN | typeof DRAWN {
  return typeof document === 'object' && document !== null && 'seed' in document ? DRAWN : WRITTEN;
}

/**
 * `{"faults": [{"atMs": 5000, …}]}`, or `{"seed": 7, "minutes": 10, "kinds": ["5xx", "silence"]}`.
 * @throws {FaultDocumentError}
 */
export function parseFaultScript(document: unknown): readonly TimedFault[] {
  const { success, data, error } = schemaFor(document).safeParse(document);
  if (success) return data.faults;
  throw new FaultDocumentError(documentError(error).replace(/^(faults\[\d+\])\.fault\b/, '$1'));
}

export interface ScriptedFault {
  readonly atMs: number;
  readonly effect: string;
  /** The id of its rule; null until it is added. */
  readonly fault: number | null;
  readonly hits: number;
}

export interface FaultScriptState {
  /** Something of it is still to come, or to be used up. */
  readonly isRunning: boolean;
  readonly faults: readonly ScriptedFault[];
}

interface Step extends TimedFault {
  handle: FaultHandle | undefined;
  timer: ClockTimer | undefined;
}

export interface FaultScriptRunnerDeps {
  readonly faults: Faults;
  readonly clock: Clock;
}

/** Runs one script at a time. */
export class FaultScriptRunner {
  readonly #deps: FaultScriptRunnerDeps;
  #steps: Step[] = [];

  constructor(deps: FaultScriptRunnerDeps) {
    this.#deps = deps;
  }

  /** Ends the script before, if there is one. A rule that begins at 0 is in force when this returns. */
  start(script: readonly TimedFault[]): void {
    this.stop();
    this.#steps = script.map((timed) => ({ ...timed, handle: undefined, timer: undefined }));
    for (const step of this.#steps) {
      if (step.atMs === 0) this.#inflict(step);
      else step.timer = this.#deps.clock.after(step.atMs, () => this.#inflict(step));
    }
  }

  /** What is to come does not come, and its rules that are in force end. */
  stop(): void {
    for (const { timer, handle } of this.#steps) {
      timer?.cancel();
      handle?.remove();
    }
    this.#steps = [];
  }

  state(): FaultScriptState {
    const active = new Set(this.#deps.faults.list().flatMap(({ id, isActive }) => (isActive ? [id] : [])));
    return {
      isRunning: this.#steps.some(({ handle }) => handle === undefined || active.has(handle.id)),
      faults: this.#steps.map(({ atMs, fault, handle }) => ({
        atMs,
        effect: effectOf(fault),
        fault: handle?.id ?? null,
        hits: handle?.hits ?? 0,
      })),
    };
  }

  #inflict(step: Step): void {
    step.timer = undefined;
    step.handle = this.#deps.faults.add(step.fault);
  }
}
