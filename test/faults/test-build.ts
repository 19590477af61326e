/** The environment that makes a test build of a service: which bug is planted in it, where it is to be struck. */
import type { PlantedBug } from './build/planted-bugs.ts';
import type { StageFault } from './build/stage-faults.ts';

export type TestBuild = {
  readonly bug?: PlantedBug;
  /** Executed in turn; what is left after a kill is for the service's next life. */
  readonly plan?: readonly StageFault[];
};

const REGISTER = new URL('./build/register.ts', import.meta.url);

/** Empty where nothing is asked for: then the product runs as it is. */
export function testBuildEnvironment({ bug, plan = [] }: TestBuild): Record<string, string> {
  if (bug === undefined && plan.length === 0) return {};
  return {
    NODE_OPTIONS: `--import=${REGISTER.href}`,
    TEST_BUILD: bug ?? '',
    STAGE_FAULTS: JSON.stringify(plan),
  };
}

/** What a life can see of a plan of which `struck` faults are over: up to and with the next kill. */
export function planOfLife(plan: readonly StageFault[], struck: number): readonly StageFault[] {
  const left = plan.slice(struck);
  const kill = left.findIndex(({ action }) => action === 'kill');
  return kill < 0 ? left : left.slice(0, kill + 1);
}
