/**
 * A run's hold on its owner, kept alive while it works. A run that was stopped for longer than the lease has lost its
 * owner to another one, and must find that out before it publishes or settles anything.
 */
import type { Inbox } from '@graph2kafka/shared';

/** Thrown where a run finds that it no longer holds its owner. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

export type Lease = {
  /** Rejects with a `LeaseLostError` unless the lease is ours now, and young enough for one publish. */
  confirm(): Promise<void>;
  /** Gives the owner back without settling anything: for a run that ends in an error. */
  release(): Promise<void>;
  stop(): void;
};

export function keepLease(inbox: Inbox, owner: string, token: string, leaseMs: number): Lease {
  const hold = () => inbox.hold(owner, token, leaseMs);
  // A failed renewal needs no answer here: confirm() asks again before anything is published.
  const timer = setInterval(() => void hold().catch(() => undefined), leaseMs / 3);
  const stop = () => clearInterval(timer);
  return {
    async confirm() {
      const askedAt = performance.now();
      const held = await hold();
      // An answer that took long may be about a lease that has run out since.
      if (!held || performance.now() - askedAt > leaseMs / 2)
        throw new LeaseLostError('the owner passed to another run');
    },
    async release() {
      stop();
      // Without an answer it runs out by itself; the error that ended the run matters more.
      await inbox.release(owner, token).catch(() => undefined);
    },
    stop,
  };
}
