/** Pauses and refusals in Redis, where all workers see them. */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import { limitScripts } from './limit-scripts.ts';
import type { Evidence, Pause, PauseReason } from './pause.ts';

/** What a pause is of. */
export type Part = Pick<Pause, 'tenantId' | 'resources'>;

export type StoredPause = Pause & {
  /** When a worker last said so; by Redis's clock, as are the others. */
  readonly at: number;
  /** When an owner was last let through; later than `at` where one was. */
  readonly probed: number;
};

/** Whose refusal it was, why, and what is known beside it. */
export type Refusal = {
  readonly part: Part;
  readonly reason: PauseReason;
  readonly owner: string;
  /** Milliseconds since this worker was last answered there; `undefined`: not yet. */
  readonly answeredMs: number | undefined;
  readonly rememberMs: number;
};

export type PauseStore = {
  /** All pauses, and the time by Redis's clock. */
  read(): Promise<{ readonly pauses: readonly StoredPause[]; readonly now: number }>;
  /** Begins a pause, or prolongs it. */
  pause(
    part: Part,
    reason: PauseReason,
    detail: string,
    ms: number,
  ): Promise<{ readonly isNew: boolean; readonly leftMs: number }>;
  /** Whether the owner may go on as the probe; else the milliseconds that are left. */
  probe(part: Part, owner: string): Promise<'probe' | 'none' | number>;
  /** Ends it, unless it was set anew since `at`; resolves to the milliseconds that it lasted. */
  resume(part: Part, at: number): Promise<number | undefined>;
  countRefusal(refusal: Refusal): Promise<Evidence>;
  /** True for the first caller within a day. */
  isNewToday(what: string): Promise<boolean>;
};

type Scripted = Redis & {
  g2kRefused(...args: (string | number)[]): Promise<[age: string, owners: number, answered: number]>;
  g2kPause(...args: (string | number)[]): Promise<[isNew: number, left: string]>;
  g2kProbe(...args: (string | number)[]): Promise<string>;
  g2kResume(...args: (string | number)[]): Promise<string>;
};

/** Longer than a request may take is not waited for a probe: its process may be gone. */
const PROBE_MS = 5000;
/** Between probes of mailboxes that were not refused themselves: one that is read ends a wrong suspicion. */
const FRESH_PROBE_MS = 5000;
/** A pause that nobody comes back to ends with its key. */
const KEEP_MS = 3_600_000;
const DAY_MS = 86_400_000;

export function createPauseStore(connection: Redis, { prefix }: QueueNames): PauseStore {
  for (const [name, script] of Object.entries(limitScripts)) {
    if (!(name in connection)) connection.defineCommand(name, script);
  }
  const redis = connection as Scripted;
  const pauses = `${prefix}:pauses`;
  const fieldOf = ({ tenantId, resources }: Part) => `${tenantId}/${resources}`;
  const refusals = (part: Part, reason: PauseReason) => `${prefix}:refused:${reason}:${fieldOf(part)}`;

  return {
    async read() {
      const [[seconds, micros], stored] = await Promise.all([redis.time(), redis.hgetall(pauses)]);
      return {
        pauses: Object.entries(stored).map(readPause),
        now: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000),
      };
    },
    async pause(part, reason, detail, ms) {
      const [isNew, left] = await redis.g2kPause(
        pauses,
        fieldOf(part),
        Math.ceil(ms),
        reason,
        detail,
        KEEP_MS,
      );
      return { isNew: isNew === 1, leftMs: Number(left) };
    },
    async probe(part, owner) {
      const keys = [pauses, refusals(part, 'forbidden')];
      const left = Number(await redis.g2kProbe(...keys, fieldOf(part), owner, PROBE_MS, FRESH_PROBE_MS));
      if (left === 0) return 'none';
      return left < 0 ? 'probe' : left;
    },
    async resume(part, at) {
      const lasted = Number(await redis.g2kResume(pauses, fieldOf(part), at));
      return lasted < 0 ? undefined : lasted;
    },
    async countRefusal({ part, reason, owner, answeredMs, rememberMs }) {
      const key = refusals(part, reason);
      const answered = answeredMs === undefined ? -1 : Math.ceil(answeredMs);
      const [age, owners, since] = await redis.g2kRefused(key, `${key}:last`, owner, answered, rememberMs);
      return { ageMs: Number(age), owners, answeredSince: since === 1 };
    },
    async isNewToday(what) {
      return (await redis.set(`${prefix}:told:${what}`, '1', 'PX', DAY_MS, 'NX')) === 'OK';
    },
  };
}

function readPause([field, text]: [string, string]): StoredPause {
  const slash = field.indexOf('/');
  const { reason, detail, since, until, at, probed } = JSON.parse(text) as Omit<
    StoredPause,
    'tenantId' | 'resources'
  >;
  return {
    tenantId: field.slice(0, slash),
    resources: field.slice(slash + 1),
    reason,
    detail,
    since,
    until,
    at,
    probed,
  };
}
