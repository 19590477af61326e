/** A logger whose lines a test may look at; none reaches the screen. */
import { createLogger, type Logger } from '@graph2kafka/shared';

export type KeptLog = Logger & { readonly lines: string[] };

export function keptLog(level = 'debug'): KeptLog {
  const lines: string[] = [];
  const log = createLogger('worker', level, { write: (line) => lines.push(line) });
  return Object.assign(log, { lines });
}
