/** A deadline for round trips that people and probes wait for: the connections behind them wait for ever. */

export class LateError extends Error {
  override readonly name = 'LateError';
}

/** Rejects with a `LateError` that names the time where `work` is not done by then; `work` itself goes on. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new LateError(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
