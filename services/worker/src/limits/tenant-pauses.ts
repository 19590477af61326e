/**
 * Who waits while Graph refuses a tenant: owners of a tenant that is paused do not even begin, resources of a kind that
 * is paused wait in the inbox. A pause is one place in Redis that every worker looks at. After its time one owner goes
 * through as a probe; when Graph answers it, the pause is over.
 *
 * Refusals are counted over all workers, answers by each for itself: what an app may read lies in the token, and each
 * worker has its own. After a consent was withdrawn one with an older token goes on reading for up to an hour, which
 * proves nothing for the others.
 */
import type { Logger } from '@graph2kafka/shared';
import { describeFailure, type GraphFailure } from '../graph/graph-error.ts';
import {
  ALL,
  comeBackIn,
  isAnswer,
  judgeRefusal,
  type Pause,
  REFUSAL_TIMES,
  type RefusalRule,
  type RefusalTimes,
  refusalRule,
  UNDECIDED_MS,
} from './pause.ts';
import type { Part, PauseStore, StoredPause } from './pause-store.ts';

/** What Graph is to be asked for: something of this kind, for this owner. */
export type Asked = { readonly tenantId: string; readonly owner: string; readonly kind: string };

/** Not now. */
export type HeldUp = {
  readonly ms: number;
  readonly reason: string;
  /** Everything of the owner has to wait; else what is of this kind. */
  readonly whole: boolean;
};

/** One request, from before it is sent. */
export type Asking = {
  /** Graph has given what was asked for. */
  answered(): void;
  /** What follows from the failure for more than what was asked for; absent: nothing. */
  failed(failure: GraphFailure): Promise<HeldUp | undefined>;
};

export type TenantPauses = {
  /** Before a run begins: whether everything of the tenant is paused. */
  ofTenant(tenantId: string, owner: string): Promise<HeldUp | undefined>;
  /** Before a request: whether what it asks for is paused, though the tenant is not. */
  ofKind(asked: Asked): Promise<HeldUp | undefined>;
  asking(asked: Asked): Asking;
  /** The app signs in with another secret from now on: what was refused for the old one need not wait any longer. */
  credentialReplaced(tenantId: string): Promise<void>;
  /** What is paused now, for people and metrics. */
  list(): Promise<readonly Pause[]>;
};

export type TenantPausesDeps = {
  readonly store: PauseStore;
  readonly log: Logger;
  readonly random: () => number;
  readonly times?: RefusalTimes;
  /** Told with each probe whether a consent is there again, which only a new token would show. */
  readonly askNewToken?: (tenantId: string) => void;
};

/** Runs begin without a word to Redis for so long after the last look. */
const FRESH_MS = 1000;

export function createTenantPauses(deps: TenantPausesDeps): TenantPauses {
  return new Pauses(deps);
}

type Known = StoredPause & {
  /** When an owner was last let through, by `performance.now()`; absent: none since it was set. */
  readonly probedAt: number | undefined;
};

class Pauses implements TenantPauses {
  private readonly deps: TenantPausesDeps;
  private readonly times: RefusalTimes;
  private known = new Map<string, Known>();
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;
  /** When the newest question was put that Graph has answered, by tenant and by kind. */
  private readonly lastAnswered = new Map<string, number>();

  constructor(deps: TenantPausesDeps) {
    this.deps = deps;
    this.times = deps.times ?? REFUSAL_TIMES;
  }

  async ofTenant(tenantId: string, owner: string): Promise<HeldUp | undefined> {
    await this.look();
    return this.heldUpBy({ tenantId, resources: ALL }, owner);
  }

  ofKind({ tenantId, owner, kind }: Asked): Promise<HeldUp | undefined> {
    return this.heldUpBy({ tenantId, resources: kind }, owner);
  }

  asking(asked: Asked): Asking {
    const askedAt = performance.now();
    return {
      answered: () => this.noteAnswer(asked, askedAt, ['tenant', 'kind']),
      failed: (failure) => this.judge(asked, askedAt, failure),
    };
  }

  async credentialReplaced(tenantId: string): Promise<void> {
    await this.read();
    const part = { tenantId, resources: ALL };
    const pause = this.known.get(nameOf(part));
    if (pause?.reason !== 'unauthorized') return;
    this.known.delete(nameOf(part));
    await this.resume(part, pause);
  }

  async list(): Promise<readonly Pause[]> {
    const { pauses } = await this.deps.store.read();
    return pauses;
  }

  /** Once a second at most; what was last seen stands while Redis does not answer. */
  private look(): Promise<void> {
    if (performance.now() - this.readAt < FRESH_MS) return Promise.resolve();
    this.reading ??= this.read()
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'pauses.not-read'))
      .finally(() => {
        this.reading = undefined;
      });
    return this.reading;
  }

  private async read(): Promise<void> {
    const { pauses, now } = await this.deps.store.read();
    this.readAt = performance.now();
    const entries = pauses.map((pause): [string, Known] => {
      const probedAt = pause.probed > pause.at ? this.readAt - (now - pause.probed) : undefined;
      return [nameOf(pause), { ...pause, probedAt }];
    });
    this.known = new Map(entries);
  }

  private async heldUpBy(part: Part, owner: string): Promise<HeldUp | undefined> {
    const pause = this.known.get(nameOf(part));
    if (!pause) return undefined;
    const left = await this.deps.store.probe(part, owner);
    if (left === 'probe') {
      if (pause.reason === 'forbidden') this.deps.askNewToken?.(part.tenantId);
      await this.read();
    }
    if (typeof left !== 'number') return undefined;
    return {
      ms: comeBackIn(left, this.deps.random()),
      reason: describePause(pause),
      whole: part.resources === ALL,
    };
  }

  private noteAnswer(asked: Asked, askedAt: number, units: readonly RefusalRule['unit'][]): void {
    for (const part of units.map((unit) => partOf(asked, unit))) {
      const name = nameOf(part);
      if (askedAt > (this.lastAnswered.get(name) ?? Number.NEGATIVE_INFINITY))
        this.lastAnswered.set(name, askedAt);
      const pause = this.known.get(name);
      // What was asked before the probe was under way already, and says nothing.
      if (pause?.probedAt !== undefined && askedAt >= pause.probedAt) {
        this.known.delete(name);
        this.resume(part, pause).catch((error: unknown) =>
          this.deps.log.warn({ err: error }, 'pauses.not-read'),
        );
      }
    }
  }

  private async resume(part: Part, { at, reason }: Known): Promise<void> {
    const pausedMs = await this.deps.store.resume(part, at);
    if (pausedMs === undefined) return;
    const { tenantId, resources } = part;
    this.deps.log.info({ tenant: tenantId, resources, reason, paused_ms: pausedMs }, 'tenant.resumed');
  }

  private async judge(asked: Asked, askedAt: number, failure: GraphFailure): Promise<HeldUp | undefined> {
    const answers = (['tenant', 'kind'] as const).filter((unit) => isAnswer(failure, unit));
    if (answers.length > 0) this.noteAnswer(asked, askedAt, answers);
    const rule = refusalRule(failure, this.times);
    if (!rule) return undefined;
    const part = partOf(asked, rule.unit);
    const answeredAt = this.lastAnswered.get(nameOf(part));
    const evidence = await this.deps.store.countRefusal({
      part,
      reason: rule.reason,
      owner: asked.owner,
      answeredMs: answeredAt === undefined ? undefined : performance.now() - answeredAt,
      rememberMs: rule.rememberMs,
    });
    switch (judgeRefusal(rule, evidence, this.known.get(nameOf(part))?.reason === rule.reason)) {
      case 'all':
        return this.pause(part, rule, describeFailure(failure));
      case 'undecided':
        return { ms: UNDECIDED_MS, reason: describeFailure(failure), whole: false };
      case 'owner':
        if (rule.reason === 'forbidden') await this.tellOnce(asked, describeFailure(failure));
        return undefined;
    }
  }

  private async pause(part: Part, { reason, pauseMs }: RefusalRule, detail: string): Promise<HeldUp> {
    const { store, log, random } = this.deps;
    const { isNew, leftMs } = await store.pause(part, reason, detail, pauseMs);
    await this.read();
    const whole = part.resources === ALL;
    if (!isNew) return { ms: comeBackIn(leftMs, random()), reason: detail, whole };
    const until = new Date(Date.now() + leftMs).toISOString();
    const level = reason === 'throttled' ? 'warn' : 'error';
    log[level]({ tenant: part.tenantId, resources: part.resources, reason, detail, until }, 'tenant.paused');
    // The first one to come back, and so the probe.
    return { ms: leftMs, reason: detail, whole };
  }

  /** Once a day over all workers: its every notification would else be an alarm. */
  private async tellOnce({ owner, kind }: Asked, detail: string): Promise<void> {
    if (await this.deps.store.isNewToday(`${owner}/${kind}`)) {
      this.deps.log.warn({ owner, resources: kind, detail }, 'owner.forbidden');
    }
  }
}

function partOf({ tenantId, kind }: Asked, unit: RefusalRule['unit']): Part {
  return { tenantId, resources: unit === 'tenant' ? ALL : kind };
}

function nameOf({ tenantId, resources }: Part): string {
  return `${tenantId}/${resources}`;
}

/** One line for job logs, pages and probes. */
export function describePause({ tenantId, resources, reason, detail, until }: Pause): string {
  const what = resources === ALL ? 'everything' : `each ${resources}`;
  return `${what} of tenant ${tenantId} waits until ${new Date(until).toISOString()} (${reason}): ${detail}`;
}
