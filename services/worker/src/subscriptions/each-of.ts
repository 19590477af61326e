/** Works through a list, several at once. */

/** Rejects with the first error, after what was under way has ended; nothing more is begun then. */
export async function eachOf<T>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  const left = all.values();
  let hasFailed = false;
  async function workOn(): Promise<void> {
    for (const one of left) {
      if (hasFailed) return;
      try {
        await work(one);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, all.length) }, workOn));
  const failure = ends.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
}
