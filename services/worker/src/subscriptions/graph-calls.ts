/** Calls about the subscriptions of one tenant: each waits its turn, honours what Graph said to the others, and is ours to make. */
import { parseResourcePath } from '@graph2kafka/shared';
import { GraphError } from '../graph/graph-error.ts';
import { kindOfWatched } from '../resources/find-kind.ts';
import type { CallPace, PacedCall } from './call-pace.ts';
import type {
  EncryptionCertificate,
  GraphSubscription,
  NewSubscription,
  SubscriptionsApi,
} from './subscriptions-api.ts';
import { explainTrouble, type QuotaScope, TroubleError } from './troubles.ts';
import type { Wish } from './wanted-subscriptions.ts';

/** Graph takes no more for a while: this and the others are for a later reconciliation, and nothing has failed. */
export class HeldUpError extends Error {
  override readonly name = 'HeldUpError';
  readonly ms: number;

  constructor(ms: number) {
    super(`no more calls for ${Math.ceil(ms / 1000)} s`);
    this.ms = ms;
  }
}

/** The first page of a list has told what was asked. */
class EnoughError extends Error {
  override readonly name = 'EnoughError';
}

/** Nothing came back, or nothing that Graph itself would say. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof GraphError && explainTrouble(error).reason === 'graph-away';
}

export type GraphCalls = {
  /** `prepare` is called right before each try. */
  create(wish: Wish, draft: NewSubscription, prepare: () => Promise<void>): Promise<GraphSubscription>;
  renew(
    id: string,
    expiresAt: number,
    certificate?: EncryptionCertificate,
    notificationUrl?: string,
  ): Promise<GraphSubscription>;
  delete(id: string): Promise<void>;
  /** `onPage`: told the number of the page, from 1, before each try for it. */
  list(onPage?: (page: number) => void): Promise<GraphSubscription[]>;
  /** Whether Graph answers at all: one page of its list, or a refusal of it. */
  isAnswering(): Promise<boolean>;
  /** Throws where a quota that the wish would count against was found full. */
  requireRoom(wish: Wish): void;
};

export type GraphCallsDeps = {
  readonly api: SubscriptionsApi;
  readonly tenantId: string;
  readonly pace: CallPace;
  /** Throws where another process reconciles by now. */
  readonly check: () => void;
  readonly sleep: (ms: number) => Promise<void>;
};

/** Longer waits are not slept through: the reconciliation ends, and a later one goes on. */
export const LONGEST_WAIT_MS = 25_000;
/** A list is read page by page, at most 5 in 6 s. */
const LONGEST_LIST_WAIT_MS = 60_000;
/** Without a Retry-After. */
const THROTTLED_MS = 20_000;
const TRIES = 3;

export function createGraphCalls({ api, tenantId, pace, check, sleep }: GraphCallsDeps): GraphCalls {
  const full = new Map<string, TroubleError>();

  async function takeTurn(call: PacedCall): Promise<void> {
    const most = call === 'list' ? LONGEST_LIST_WAIT_MS : LONGEST_WAIT_MS;
    const ms = await pace.turn(tenantId, call, most);
    if (ms > most) throw new HeldUpError(ms);
    if (ms > 0) await sleep(ms);
  }

  async function write<T>(ask: () => Promise<T>, prepare?: () => Promise<void>): Promise<T> {
    for (let nth = 1; ; nth++) {
      await takeTurn('write');
      await prepare?.();
      check();
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof GraphError) || error.failure.kind !== 'throttled') throw error;
        const ms = error.failure.retryAfterMs ?? THROTTLED_MS;
        await pace.hold(tenantId, 'write', ms);
        if (nth === TRIES || ms > LONGEST_WAIT_MS) throw new HeldUpError(ms);
      }
    }
  }

  async function list(onPage?: (page: number) => void): Promise<GraphSubscription[]> {
    let page = 1;
    try {
      return await api.list(
        async () => {
          onPage?.(page);
          await takeTurn('list');
        },
        () => void page++,
      );
    } catch (error) {
      if (error instanceof GraphError && error.failure.kind === 'throttled')
        await pace.hold(tenantId, 'list', error.failure.retryAfterMs ?? THROTTLED_MS);
      throw error;
    }
  }

  function noteFull(wish: Wish, error: unknown): void {
    const { quota, detail } = explainTrouble(error);
    if (quota) full.set(quotaKey(wish, quota), new TroubleError('quota', detail, { cause: error }));
  }

  return {
    async create(wish, draft, prepare) {
      try {
        return await write(() => api.create(draft), prepare);
      } catch (error) {
        noteFull(wish, error);
        throw error;
      }
    },
    renew: (...what) => write(() => api.renew(...what)),
    delete: (id) => write(() => api.delete(id)),
    list,
    async isAnswering() {
      try {
        await list((page) => {
          if (page > 1) throw new EnoughError();
        });
        return true;
      } catch (error) {
        if (error instanceof EnoughError || error instanceof HeldUpError) return true;
        if (!(error instanceof GraphError)) throw error;
        return !isUnanswered(error);
      }
    },
    requireRoom(wish) {
      for (const scope of SCOPES) {
        const error = full.get(quotaKey(wish, scope));
        if (error) throw error;
      }
    },
  };
}

const SCOPES: readonly QuotaScope[] = ['resource', 'mailbox', 'tenant', 'app'];

/** Each of Graph's services counts for itself; those of its own in `other`, by kind. */
function quotaKey({ resource }: Wish, scope: QuotaScope): string {
  const path = parseResourcePath(resource);
  const kind = path.ok ? kindOfWatched(path.path) : undefined;
  const service = kind?.service === 'other' ? kind.name : kind?.service;
  if (scope === 'resource') return `resource ${resource}`;
  if (scope === 'mailbox') return `mailbox ${service} ${path.ok ? path.path[0]?.id : resource}`;
  return `${scope} ${service}`;
}
