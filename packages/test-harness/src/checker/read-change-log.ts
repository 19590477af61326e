// Reads a change log from its file, line by line, however long it is.
import { createReadStream } from 'node:fs';
import { type ChangeLogLine, parseChangeLogLine } from './change-log-line.ts';

/**
 * Calls `onLine` for each line in order. A last line without its end is left out: its writer was killed in it.
 * @throws naming the number of the line that is none, or where `onLine` throws
 */
export async function readChangeLog(file: string, onLine: (line: ChangeLogLine) => void): Promise<void> {
  let unfinished = '';
  let number = 0;
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1024 * 1024 })) {
    const pieces = (unfinished + chunk).split('\n');
    unfinished = pieces.pop() ?? '';
    for (const piece of pieces) {
      number++;
      if (piece !== '') handOver(piece, number, onLine);
    }
  }
}

function handOver(text: string, number: number, onLine: (line: ChangeLogLine) => void): void {
  try {
    onLine(parseChangeLogLine(text));
  } catch (error) {
    throw new Error(`Line ${number}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
