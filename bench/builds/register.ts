/**
 * Run before a service (`node --import`): patches its source while Node loads it, as BENCH_BUILD names. The service
 * itself holds no switch that could be left on.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { applyPatch, BUILDS, type BuildName, type Patch } from './builds.ts';

const ROOT = new URL('../../', import.meta.url);

function patchesOf(build: string | undefined): readonly Patch[] {
  if (build === undefined || !(build in BUILDS)) throw new Error(`BENCH_BUILD names no build: ${build}`);
  return BUILDS[build as BuildName];
}

const patches = new Map(
  patchesOf(process.env.BENCH_BUILD).map((patch) => [new URL(patch.file, ROOT).href, patch]),
);

registerHooks({
  load(url, context, nextLoad) {
    const patch = patches.get(url);
    if (patch === undefined) return nextLoad(url, context);
    const source = applyPatch(readFileSync(fileURLToPath(url), 'utf8'), patch);
    return { ...nextLoad(url, context), source };
  },
});
