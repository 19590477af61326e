// A real logger whose lines a test can read.
import { createLogger, type Logger } from '@graph2kafka/shared';

export interface LogLines {
  readonly log: Logger;
  /** As they were written. */
  readonly lines: readonly string[];
  /** Parsed, those with this message alone. */
  readonly of: (message: string) => readonly Record<string, unknown>[];
}

export function logLines(): LogLines {
  const lines: string[] = [];
  const log = createLogger('receiver', 'trace', { write: (line: string) => void lines.push(line) });
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, of: (message) => parsed().filter((line) => line.message === message) };
}
