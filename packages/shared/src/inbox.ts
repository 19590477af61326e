/**
 * The inbox of every owner: where acknowledged news lies, durable and in order, until a run has settled it.
 * Typed access to the scripts; what they promise stands in docs/architecture.md.
 */
import type { Redis } from 'ioredis';
import type { ChangeType, InboxEntry, News } from './inbox-entry.ts';
import { inboxScripts } from './inbox-scripts.ts';
import type { QueueNames } from './owner-queue.ts';

/** Entries that were joined, or a single one. */
export type TakenEntry = {
  /** Names the entry within its owner; settling goes by it. */
  readonly seq: string;
  readonly subscriptionId: string;
  readonly created: boolean;
  readonly deleted: boolean;
  /** The change that came last; absent for news that is no change. */
  readonly last: ChangeType | '';
  /** Notifications that this entry stands for. */
  readonly count: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
  /** The newest of them. */
  readonly news: News;
};

export type TakenResource = {
  readonly resource: string;
  /** Tries that ended in waiting. */
  readonly attempts: number;
  /** Epoch milliseconds of the first such try; 0 while there was none. */
  readonly waitingSince: number;
  /** Runs that took it alone, this one included, and none of which has settled; 0 in ordinary life. */
  readonly lonelyStarts: number;
  /** In order of arrival; never empty. */
  readonly entries: readonly TakenEntry[];
};

export type Begun =
  /** Another run holds the owner; what is in the inbox is its business. */
  | { readonly state: 'busy' }
  | { readonly state: 'empty' }
  | { readonly state: 'later'; readonly inMs: number }
  | {
      readonly state: 'run';
      /** Runs begun since the last one that settled, this one included. */
      readonly starts: number;
      readonly more: number;
      readonly resources: readonly TakenResource[];
    };

/** What a run says of one resource that it took. */
export type Settlement = {
  readonly resource: string;
  readonly doneSeqs: readonly string[];
  /** What is not done may not be tried before so many milliseconds; absent: due as before. */
  readonly wait?: { readonly ms: number; readonly countsAsAttempt: boolean };
};

export type Settled =
  /** The lease had passed to another run: nothing was changed. */
  | { readonly state: 'foreign' }
  | { readonly state: 'empty' }
  | { readonly state: 'left'; readonly resources: number; readonly dueInMs: number };

type Scripted = Redis & {
  g2kAppend(...args: (string | number)[]): Promise<number>;
  g2kBegin(...args: (string | number)[]): Promise<unknown[]>;
  g2kHold(...args: (string | number)[]): Promise<number>;
  g2kRelease(...args: (string | number)[]): Promise<number>;
  g2kSettle(...args: (string | number)[]): Promise<unknown[]>;
  g2kClaim(...args: (string | number)[]): Promise<string[]>;
  g2kOldest(...args: string[]): Promise<string | null>;
};

export type Inbox = ReturnType<typeof createInbox>;

/** So many runs may die or fail before the owner's resources are taken one by one, to find the one to blame. */
const UNSETTLED_RUNS = 3;

/** Some 6 MB of Redis per owner; a busy mailbox has hundreds of changes an hour, an import or a flood has more. */
const MOST_RESOURCES = 10_000;

/**
 * The inbox on a connection; `names` says under which keys. `mostResources`: news of further ones of an owner becomes
 * one entry that has all of them read again.
 */
export function createInbox(connection: Redis, names: QueueNames, mostResources = MOST_RESOURCES) {
  for (const [name, script] of Object.entries(inboxScripts)) {
    if (!(name in connection)) connection.defineCommand(name, script);
  }
  const redis = connection as Scripted;
  const keysOf = (owner: string) => ({
    inbox: `${names.prefix}:inbox:${owner}`,
    due: `${names.prefix}:due:${owner}`,
    since: `${names.prefix}:since:${owner}`,
    lease: `${names.prefix}:lease:${owner}`,
    index: `${names.prefix}:index`,
    oldest: `${names.prefix}:oldest`,
  });

  return {
    /** Stores entries of one owner, in order; resolves to the number of resources that it then has news of. */
    append(owner: string, entries: readonly InboxEntry[]): Promise<number> {
      const keys = keysOf(owner);
      return redis.g2kAppend(
        keys.inbox,
        keys.due,
        keys.index,
        keys.oldest,
        owner,
        mostResources,
        ...entries.flatMap(appendArguments),
      );
    },

    /** Takes the owner's lease and up to `window` resources that are due, each with all its entries. */
    async begin(owner: string, token: string, leaseMs: number, window: number): Promise<Begun> {
      const keys = keysOf(owner);
      return readBegun(
        await redis.g2kBegin(keys.inbox, keys.due, keys.lease, token, leaseMs, window, UNSETTLED_RUNS),
      );
    },

    /** Whether the run of `token` still holds the owner; if so, for another `leaseMs`. */
    async hold(owner: string, token: string, leaseMs: number): Promise<boolean> {
      return (await redis.g2kHold(keysOf(owner).lease, token, leaseMs)) === 1;
    },

    /** Gives the lease back without settling, so that another run may try at once. */
    async release(owner: string, token: string): Promise<void> {
      await redis.g2kRelease(keysOf(owner).lease, token);
    },

    /** Ends a run: removes what is done by its numbers, lets the rest wait, gives the lease back. */
    async settle(owner: string, token: string, settlements: readonly Settlement[]): Promise<Settled> {
      const keys = keysOf(owner);
      return readSettled(
        await redis.g2kSettle(
          keys.inbox,
          keys.due,
          keys.lease,
          keys.index,
          keys.oldest,
          keys.since,
          token,
          owner,
          ...settlements.flatMap(settleArguments),
        ),
      );
    },

    /**
     * Up to `page` owners that have had work for `overdueMs`; nobody else is given them for `againInMs`, unless
     * something is appended to them meanwhile.
     */
    claimOverdue(overdueMs: number, againInMs: number, page: number): Promise<string[]> {
      return redis.g2kClaim(keysOf('').index, overdueMs, againInMs, page);
    },

    /**
     * When the oldest entry of all owners was received, in epoch milliseconds; `undefined` where there is none. An
     * owner's counts as it was at the end of its last run.
     */
    async oldestReceivedAt(): Promise<number | 'unknown' | undefined> {
      const { oldest, index } = keysOf('');
      const at = await redis.g2kOldest(oldest, index);
      if (at === 'unknown') return at;
      return at === null ? undefined : Number(at);
    },

    /** Owners that have entries. */
    countOwners(): Promise<number> {
      return redis.zcard(keysOf('').index);
    },
  };
}

/** Whether an entry may join another one of its subscription; see the script. */
const [WITH_OTHERS, RICH] = [1, 2];

/** Each carries a state of its own, which is a record of its own. */
function isRich(news: News): boolean {
  return news.kind === 'change' && news.contentId !== undefined;
}

function appendArguments({ resource, receivedAt, news }: InboxEntry): (string | number)[] {
  const change = news.kind === 'change' ? news.changeType : '';
  const joins = isRich(news) ? RICH : WITH_OTHERS;
  return [resource, news.subscriptionId, joins, change, receivedAt, JSON.stringify(news)];
}

function settleArguments({ resource, doneSeqs, wait }: Settlement): (string | number)[] {
  return [
    resource,
    wait ? Math.ceil(wait.ms) : -1,
    wait?.countsAsAttempt ? 1 : 0,
    doneSeqs.length,
    ...doneSeqs,
  ];
}

function readBegun(reply: unknown[]): Begun {
  switch (reply[0]) {
    case 'busy':
      return { state: 'busy' };
    case 'empty':
      return { state: 'empty' };
    case 'later':
      return { state: 'later', inMs: Number(reply[1]) };
    case 'run':
      return {
        state: 'run',
        starts: Number(reply[1]),
        more: Number(reply[2]),
        resources: (reply[3] as TakenResourceReply[]).map(readResource),
      };
    default:
      throw new Error(`begin answered ${String(reply[0])}`);
  }
}

type TakenResourceReply = [
  resource: string,
  attempts: string,
  waitingSince: string,
  lonelyStarts: string,
  entries: string[][],
];

function readResource(reply: TakenResourceReply): TakenResource {
  const [resource, attempts, waitingSince, lonelyStarts, entries] = reply;
  return {
    resource,
    attempts: Number(attempts),
    waitingSince: Number(waitingSince),
    lonelyStarts: Number(lonelyStarts),
    entries: entries.map(readEntry),
  };
}

function readEntry(fields: string[]): TakenEntry {
  const [seq, subscriptionId, created, deleted, last, count, first, latest, news] = fields as [
    string,
    string,
    string,
    string,
    ChangeType | '',
    string,
    string,
    string,
    string,
  ];
  return {
    seq,
    subscriptionId,
    created: created === '1',
    deleted: deleted === '1',
    last,
    count: Number(count),
    firstReceivedAt: Number(first),
    lastReceivedAt: Number(latest),
    news: JSON.parse(news) as News,
  };
}

function readSettled(reply: unknown[]): Settled {
  switch (reply[0]) {
    case 'foreign':
      return { state: 'foreign' };
    case 'empty':
      return { state: 'empty' };
    case 'left':
      return { state: 'left', resources: Number(reply[1]), dueInMs: Number(reply[2]) };
    default:
      throw new Error(`settle answered ${String(reply[0])}`);
  }
}
