/** Does something again and again until closed: looks at files, secrets, keys. */

/** One after the other, so that a slow one never meets the next; the first after `everyMs`. It keeps no process alive. */
export function repeat(everyMs: number, act: () => Promise<void>): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const wait = () => {
    if (closed) return;
    timer = setTimeout(() => act().finally(wait), everyMs);
    timer.unref();
  };
  wait();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
