/** What Node says of wrong options, as a `UsageError`. */
import { UsageError } from './usage-error.ts';

/** Node's own words for an option that it does not know or that lacks its value are clear; its hints on `--` are not. */
export function parseWords<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const isUsage =
      error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
    if (!isUsage) throw error;
    throw new UsageError((error.message.split('. ')[0] ?? '').replace(/\.$/, ''), { cause: error });
  }
}
