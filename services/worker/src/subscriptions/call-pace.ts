/**
 * How fast Graph is asked about subscriptions: it takes 500 changes and 25 pages of lists in 20 s of an app in a tenant
 * (Graph: throttling-limits). The turns are counted in Redis, so that neither a restart nor another worker begins anew.
 */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';

export type PacedCall = 'write' | 'list';

/** `burst` calls at once, and one more with each interval. */
export type Pace = { readonly intervalMs: number; readonly burst: number };

/** 400 and 20 in any 20 s: others may use the app as well. */
export const PACES: Readonly<Record<PacedCall, Pace>> = {
  write: { intervalMs: 20_000 / 360, burst: 40 },
  list: { intervalMs: 20_000 / 16, burst: 4 },
};

export type CallPace = {
  /** Takes a turn, and resolves to the milliseconds to wait for it; if they are more than `mostMs`, none was taken. */
  turn(tenantId: string, call: PacedCall, mostMs: number): Promise<number>;
  /** Nothing of the kind for so long: Graph's Retry-After. */
  hold(tenantId: string, call: PacedCall, ms: number): Promise<void>;
};

/** `free`: when the pace has nothing to make good any more. Pure; times in milliseconds. */
export function takeTurn(free: number, now: number, { intervalMs, burst }: Pace) {
  const from = Math.max(free, now);
  return { free: from + intervalMs, waitMs: Math.max(0, from - (burst - 1) * intervalMs - now) };
}

/** So that the next turn is `ms` away. Pure. */
export function holdTurns(free: number, now: number, ms: number, { intervalMs, burst }: Pace): number {
  return Math.max(free, now + ms + (burst - 1) * intervalMs);
}

const clock = `local t = redis.call('TIME') local now = t[1] * 1000 + t[2] / 1000
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)`;

/** KEYS pace · ARGV interval burst most → ms to wait, as `takeTurn` says, by Redis's clock */
const turn = `${clock}
local interval = tonumber(ARGV[1])
local wait = math.max(0, free - (tonumber(ARGV[2]) - 1) * interval - now)
if wait <= tonumber(ARGV[3]) then
  redis.call('SET', KEYS[1], string.format('%.3f', free + interval), 'PX', math.ceil(free + interval - now) + 1000)
end
return string.format('%.0f', math.ceil(wait))`;

/** KEYS pace · ARGV interval burst ms */
const hold = `${clock}
free = math.max(free, now + tonumber(ARGV[3]) + (tonumber(ARGV[2]) - 1) * tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.3f', free), 'PX', math.ceil(free - now) + 1000)
return 1`;

const paceScripts = {
  g2kTakeTurn: { numberOfKeys: 1, lua: turn },
  g2kHoldTurns: { numberOfKeys: 1, lua: hold },
};

type Scripted = Redis & {
  g2kTakeTurn(...args: (string | number)[]): Promise<string>;
  g2kHoldTurns(...args: (string | number)[]): Promise<number>;
};

export function createCallPace(connection: Redis, { prefix }: QueueNames): CallPace {
  for (const [name, script] of Object.entries(paceScripts)) {
    if (!(name in connection)) connection.defineCommand(name, script);
  }
  const redis = connection as Scripted;
  const keyOf = (tenantId: string, call: PacedCall) => `${prefix}:subscription-pace:${call}:${tenantId}`;
  return {
    async turn(tenantId, call, mostMs) {
      const { intervalMs, burst } = PACES[call];
      return Number(await redis.g2kTakeTurn(keyOf(tenantId, call), intervalMs, burst, mostMs));
    },
    async hold(tenantId, call, ms) {
      const { intervalMs, burst } = PACES[call];
      await redis.g2kHoldTurns(keyOf(tenantId, call), intervalMs, burst, ms);
    },
  };
}
