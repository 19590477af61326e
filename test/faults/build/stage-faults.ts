/** What a test build does when a stage is reached: nothing, until the next fault of its plan is due. */
import type { Stage } from './stages.ts';

export type StageFault = {
  readonly stage: Stage;
  /** `kill`: SIGKILL. `stop`: SIGSTOP, until somebody sends SIGCONT. `wait`: only this piece of work pauses. */
  readonly action: 'kill' | 'stop' | 'wait';
  /** At the n-th time that the stage is reached, counted from 1 since the fault before it struck. */
  readonly nth: number;
  /** Of `wait`. */
  readonly waitMs?: number;
};

/** What the process writes to standard error at the moment that a fault strikes: only what was seen counts. */
export type StruckFault = {
  readonly struck: StageFault['action'];
  readonly stage: Stage;
  /** Owner or resource that the work was about; empty where the stage does not know. */
  readonly at: string;
  readonly pid: number;
};

/**
 * One fault after the other, in the order of the plan. The returned function is told of each stage that is reached
 * and answers with the fault that strikes now.
 */
export function followPlan(plan: readonly StageFault[]): (stage: Stage) => StageFault | undefined {
  let next = 0;
  let reached = 0;
  return (stage) => {
    const fault = plan[next];
    if (fault?.stage !== stage || ++reached < fault.nth) return undefined;
    next++;
    reached = 0;
    return fault;
  };
}

/** `undefined` for any other line of the process. */
export function readStruckFault(line: string): StruckFault | undefined {
  return line.startsWith('{"struck":') ? (JSON.parse(line) as StruckFault) : undefined;
}
