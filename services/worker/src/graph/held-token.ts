/** A token that is held: when it may be used, and when a newer one is to be asked for. Pure; times in epoch milliseconds. */
import type { AccessToken } from '@azure/identity';

export type HeldToken = {
  readonly token: string;
  readonly expiresAt: number;
  readonly refreshAt: number;
  /** When a newer one was last asked for. */
  readonly triedAt: number;
};

/** Just after @azure/identity has stopped to give out the one that it has, which is five minutes before its end. */
const REFRESH_BEFORE_MS = 290_000;
const TRY_AGAIN_MS = 10_000;

/** To be renewed some minutes before its end, from half of a life that is shorter, or from when the login says. */
export function hold(
  { token, expiresOnTimestamp, refreshAfterTimestamp }: AccessToken,
  now: number,
): HeldToken {
  const before = Math.min(REFRESH_BEFORE_MS, (expiresOnTimestamp - now) / 2);
  const refreshAt = Math.min(expiresOnTimestamp - before, refreshAfterTimestamp ?? Number.POSITIVE_INFINITY);
  return { token, expiresAt: expiresOnTimestamp, refreshAt, triedAt: now };
}

/** A clock that goes wrong is noticed by Graph, whose 401 has it replaced. */
export function isUsable({ expiresAt }: HeldToken, now: number): boolean {
  return now < expiresAt;
}

export function isRefreshDue({ refreshAt, triedAt }: HeldToken, now: number): boolean {
  return now >= refreshAt && now >= triedAt + TRY_AGAIN_MS;
}
