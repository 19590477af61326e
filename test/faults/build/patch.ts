/** A change to the product's source, made while Node loads it: how a test build differs from the product. */

export type Patch = {
  /** Path within the repository. */
  readonly file: string;
  /** Must occur exactly once in the file, or the patch would change something else than was meant. */
  readonly find: string;
  readonly replace: string;
};

/** A patch no longer fits the product: the build must not run, since it would prove nothing. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/** The source with all patches of this file applied, in their order. */
export function applyPatches(file: string, source: string, patches: readonly Patch[]): string {
  return patches.filter((patch) => patch.file === file).reduce(applyPatch, source);
}

function applyPatch(source: string, { file, find, replace }: Patch): string {
  const occurrences = source.split(find).length - 1;
  if (occurrences === 1) return source.replace(find, () => replace);
  throw new PatchError(`${file}: a patch fits ${occurrences} times instead of once, looking for:\n${find}`);
}
