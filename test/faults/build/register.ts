/**
 * Makes a test build of whatever Node loads after it: `node --import …/register.ts services/worker/src/main.ts`. The
 * same source with patches applied in memory; the product holds no test flag.
 *
 * `TEST_BUILD`: names of planted bugs, comma-separated. `STAGE_FAULTS`: JSON list of stage faults, executed in turn.
 */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { relative, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { applyPatches, type Patch, PatchError } from './patch.ts';
import { type PlantedBug, plantedBugs } from './planted-bugs.ts';
import { followPlan, type StageFault, type StruckFault } from './stage-faults.ts';
import { type Stage, stageHooks } from './stages.ts';

declare global {
  /** `at` names the owner or resource that the work is about. */
  var reachStage: (stage: Stage, at?: string) => Promise<void> | undefined;
}

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const STANDARD_ERROR = 2;

function patchesOf(names: string): readonly Patch[] {
  return names
    .split(',')
    .filter((name) => name !== '')
    .flatMap((name) => {
      const patches = plantedBugs[name as PlantedBug];
      if (patches === undefined) throw new PatchError(`TEST_BUILD names no planted bug: ${name}`);
      return patches;
    });
}

const { TEST_BUILD = '', STAGE_FAULTS = '[]' } = process.env;
const plan = JSON.parse(STAGE_FAULTS) as StageFault[];
// A bug may move a line that a hook comes before: the hook then follows it.
const patches = [...patchesOf(TEST_BUILD), ...(plan.length > 0 ? stageHooks : [])];
const due = followPlan(plan);

globalThis.reachStage = (stage, at = '') => {
  const fault = due(stage);
  if (fault === undefined) return undefined;
  const struck: StruckFault = { struck: fault.action, stage, at, pid: process.pid };
  // Written at once: after the next line this process may say nothing more.
  writeSync(STANDARD_ERROR, `${JSON.stringify(struck)}\n`);
  if (fault.action === 'wait') return pause(fault.waitMs ?? 0);
  process.kill(process.pid, fault.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  return undefined;
};

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const file = url.startsWith('file:') ? relative(REPOSITORY, fileURLToPath(url)) : '';
    if (!patches.some((patch) => patch.file === file)) return loaded;
    return { ...loaded, source: applyPatches(file, String(loaded.source), patches) };
  },
});
