import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPatches, PatchError } from './build/patch.ts';
import { PLANTED_BUGS, plantedBugs } from './build/planted-bugs.ts';
import { followPlan, type StageFault } from './build/stage-faults.ts';
import { RECEIVER_STAGES, stageHooks, WORKER_STAGES } from './build/stages.ts';
import { planOfLife } from './test-build.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const sourceOf = (file: string) => readFileSync(join(REPOSITORY, file), 'utf8');
const filesOf = (patches: readonly { file: string }[]) => new Set(patches.map(({ file }) => file));

describe('a patch', () => {
  const patch = { file: 'a.ts', find: 'old()', replace: "new('$&')" };

  it('replaces what it finds, as it is written', () => {
    expect(applyPatches('a.ts', 'x; old(); y', [patch])).toBe("x; new('$&'); y");
  });

  it('leaves other files alone', () => {
    expect(applyPatches('b.ts', 'old()', [patch])).toBe('old()');
  });

  it.each(['nothing of the kind', 'old() and old()'])(
    'is refused where it does not fit once: %s',
    (source) => {
      expect(() => applyPatches('a.ts', source, [patch])).toThrow(PatchError);
    },
  );
});

describe('the patches of the test builds', () => {
  it('reach every stage, once each', () => {
    const texts = [...filesOf(stageHooks)].map((file) => applyPatches(file, sourceOf(file), stageHooks));
    for (const stage of [...RECEIVER_STAGES, ...WORKER_STAGES]) {
      expect(texts.join('\n').split(`reachStage('${stage}'`), stage).toHaveLength(2);
    }
  });

  it.each(PLANTED_BUGS)('plant %s in the product as it is, with the stages and without', (bug) => {
    const patches = plantedBugs[bug];
    for (const file of filesOf(patches)) {
      const source = sourceOf(file);
      expect(applyPatches(file, source, patches)).not.toBe(source);
      expect(() => applyPatches(file, source, [...patches, ...stageHooks])).not.toThrow();
    }
  });
});

describe('a plan of stage faults', () => {
  const plan: StageFault[] = [
    { stage: 'after-begin', action: 'stop', nth: 2 },
    { stage: 'after-begin', action: 'kill', nth: 1 },
    { stage: 'after-fetch', action: 'stop', nth: 1 },
  ];

  it('strikes one after the other, each at the n-th time that its stage is reached', () => {
    const due = followPlan(plan);
    const stages = [
      'after-fetch',
      'after-begin',
      'after-begin',
      'after-fetch',
      'after-begin',
      'after-fetch',
    ] as const;
    expect(stages.map((stage) => due(stage)?.action)).toEqual([
      undefined,
      undefined,
      'stop',
      undefined,
      'kill',
      'stop',
    ]);
    expect(due('after-fetch')).toBeUndefined();
  });

  it('is dealt to the lives of a service, each of which ends with a kill', () => {
    expect(planOfLife(plan, 0)).toEqual(plan.slice(0, 2));
    expect(planOfLife(plan, 2)).toEqual(plan.slice(2));
    expect(planOfLife(plan, 3)).toEqual([]);
  });
});
