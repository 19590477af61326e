/** One check within its deadline: whatever becomes of it, there are findings and nothing is thrown. */
import { type CheckName, error, type Finding, type Remark } from './finding.ts';

/** `signal` says that nobody waits any more: what is open is to be closed. */
export type Work = (signal: AbortSignal) => Promise<readonly Remark[]>;

const LATE = Symbol('late');

/** Never rejects. */
export async function runCheck(check: CheckName, deadlineMs: number, work: Work): Promise<Finding[]> {
  const remarks = await remarksWithin(deadlineMs, work);
  return remarks.map((remark) => ({ check, ...remark }));
}

async function remarksWithin(deadlineMs: number, work: Work): Promise<readonly Remark[]> {
  const ended = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(() => resolve(LATE), deadlineMs);
  try {
    const remarks = await Promise.race([work(ended.signal), late]);
    if (remarks !== LATE) return remarks;
    return [
      error(
        `no answer within ${deadlineMs / 1000} s`,
        'see whether something takes connections and is silent',
      ),
    ];
  } catch (thrown) {
    // The name alone: what nobody foresaw may hold what must not be shown.
    const name = thrown instanceof Error ? thrown.name : typeof thrown;
    return [error(`the check itself failed (${name})`, 'report it, with the version of graph2kafka')];
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}
