// The tools that `deploy/validate/manifests.sh tools` gets, for tests of what is in deploy/.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const TOOLS = join(ROOT, '.local/validate/manifests');
/** The script's way to say that Go, Python or their packages are not to be had. */
const NO_TOOLS = 77;
/** helm and the validators are built once for a working copy. */
export const FIRST_TIME_MS = 600_000;

export type Outcome = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Undefined where there are the tools, else why there are none. */
export function getManifestTools(): string | undefined {
  const { status, stderr } = runManifests('tools');
  return status === NO_TOOLS ? stderr.trim() : undefined;
}

export function runManifests(...what: readonly string[]): Outcome {
  return spawnSync(join(ROOT, 'deploy/validate/manifests.sh'), what, { encoding: 'utf8' });
}

/** One of the tools by itself: `bin/helm`, `python/bin/kubernetes-validate`. */
export function runTool(name: string, ...parameters: readonly string[]): Outcome {
  return spawnSync(join(TOOLS, name), parameters, { encoding: 'utf8', cwd: ROOT });
}

export const SCHEMAS = join(TOOLS, 'schemas');
