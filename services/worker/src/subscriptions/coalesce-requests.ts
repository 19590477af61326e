/** Many requests for the same thing within a moment are one: the first at once, the others together after it. */
import type { Logger } from '@graph2kafka/shared';

export type CoalescedRequests = {
  /** Resolves at once where another one is sent soon; what is lost then is made good by the schedule. */
  request(): Promise<void>;
  /** What is still to be sent is sent no more. */
  close(): void;
};

export function coalesceRequests(
  send: () => Promise<void>,
  withinMs: number,
  log: Logger,
): CoalescedRequests {
  let timer: NodeJS.Timeout | undefined;
  let isWanted = false;
  const onTime = () => {
    timer = undefined;
    if (!isWanted) return;
    isWanted = false;
    timer = setTimeout(onTime, withinMs);
    send().catch((error: unknown) => log.warn({ err: error }, 'subscription.not-requested'));
  };
  return {
    async request() {
      if (timer) {
        isWanted = true;
        return;
      }
      timer = setTimeout(onTime, withinMs);
      await send();
    },
    close() {
      clearTimeout(timer);
      isWanted = false;
    },
  };
}
