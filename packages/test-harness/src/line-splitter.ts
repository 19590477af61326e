// Cuts a stream of text chunks into lines.

export interface LineSplitter {
  push(chunk: string): void;
  /** Hands over what came after the last separator, if anything did. */
  end(): void;
}

/**
 * Calls `onLine` for each line, without its separator. Only `separator` ends a line; Node's readline would also end
 * one at U+2028, which JSON allows inside a string.
 */
export function lineSplitter(onLine: (line: string) => void, separator = '\n'): LineSplitter {
  let pending: string[] = [];
  const flush = () => {
    const line = pending.join('');
    pending = [];
    return line;
  };
  return {
    push(chunk) {
      const pieces = chunk.split(separator);
      const rest = pieces.pop() ?? '';
      for (const piece of pieces) {
        pending.push(piece);
        onLine(flush());
      }
      if (rest !== '') pending.push(rest);
    },
    end() {
      if (pending.length > 0) onLine(flush());
    },
  };
}
