/**
 * Stores accepted entries and the jobs of their owners. Requests that arrive while a write is under way share the
 * next one (group commit): under load one round trip, and with AOF `always` one sync of the disk, serves many.
 */
import { randomUUID } from 'node:crypto';
import {
  type CarriedByPost,
  contentIdAt,
  createContentStore,
  createInbox,
  type InboxEntry,
  OWNER_JOB,
  OWNER_QUEUE,
  ownerJobOptions,
  type QueueNames,
  type StoredContent,
} from '@graph2kafka/shared';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Entries of one write; a larger one would hold Redis for more than some 20 ms. */
const LARGEST_COMMIT = 1000;

/** Its caller has given up by then, and Graph sends it again: writing it would only keep fresh ones waiting. */
const LONGEST_WAIT_MS = 1900;

/** `validationTokens`: those of the POST that brought them, kept where one of the entries carries a resource. */
export type StoreEntries = (
  entries: readonly InboxEntry[],
  validationTokens?: readonly string[],
) => Promise<void>;

type Request = {
  readonly entries: readonly InboxEntry[];
  readonly carried: CarriedByPost | undefined;
  /** On the clock of `performance`. */
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

export type InboxWriter = {
  /** Resolves once every entry and a job for each owner are confirmed by Redis; rejects if any is in doubt. */
  readonly store: StoreEntries;
  close(): Promise<void>;
};

export type InboxWriterOptions = {
  /** Replicas that have to confirm each write; 0 without. */
  readonly replicas?: number;
  /** Resources of an owner with news, before further ones become one reading of all of them. */
  readonly mostResources?: number;
};

export function createInboxWriter(
  redis: Redis,
  names: QueueNames,
  { replicas = 0, mostResources }: InboxWriterOptions = {},
): InboxWriter {
  const inbox = createInbox(redis, names, mostResources);
  const contents = createContentStore(redis, names);
  const queue = new Queue(OWNER_QUEUE, {
    connection: redis,
    prefix: names.prefix,
    skipMetasUpdate: true,
    // BullMQ looks at a new connection once and keeps a failure of that for good: no job could be added any more.
    skipVersionCheck: true,
    skipWaitingForReady: true,
  });
  // BullMQ repeats the connection's errors, which are logged where the connection was made.
  queue.on('error', () => undefined);
  let waiting: Request[] = [];
  let writing = false;

  /** All goes out on one connection, entries before jobs, so that a job never runs before its entries are there. */
  async function commit(requests: readonly Request[]): Promise<void> {
    const byOwner = Map.groupBy(
      requests.flatMap(({ entries }) => entries),
      ({ owner }) => owner,
    );
    const owners = [...byOwner.keys()];
    // What is carried goes first: an entry must not be there without it.
    const carried = requests.flatMap(({ carried }) => (carried ? [contents.put(carried)] : []));
    const appended = owners.map((owner) => inbox.append(owner, byOwner.get(owner) ?? []));
    const jobs = queue.addBulk(
      owners.map((owner) => ({ name: OWNER_JOB, data: { owner }, opts: ownerJobOptions(owner) })),
    );
    const results = await Promise.allSettled([jobs, ...carried, ...appended]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    if (replicas > 0) await confirmReplicas(redis, replicas);
  }

  async function writeAll(): Promise<void> {
    writing = true;
    for (let requests = takeCommit(); requests.length > 0; requests = takeCommit()) {
      const [result] = await Promise.allSettled([commit(requests)]);
      for (const { resolve, reject } of requests) {
        if (result.status === 'fulfilled') resolve();
        else reject(result.reason);
      }
    }
    writing = false;
  }

  function takeCommit(): Request[] {
    dropLate();
    let entries = 0;
    let n = 0;
    while (n < waiting.length && (n === 0 || entries + (waiting[n]?.entries.length ?? 0) <= LARGEST_COMMIT)) {
      entries += waiting[n]?.entries.length ?? 0;
      n++;
    }
    const taken = waiting.slice(0, n);
    waiting = waiting.slice(n);
    return taken;
  }

  function dropLate(): void {
    const oldest = performance.now() - LONGEST_WAIT_MS;
    const late = waiting.filter(({ since }) => since < oldest);
    waiting = waiting.slice(late.length);
    for (const { reject } of late) reject(new Error(`waited for longer than ${LONGEST_WAIT_MS} ms`));
  }

  return {
    store(entries, validationTokens = []) {
      if (entries.length === 0) return Promise.resolve();
      // Each command would be refused by itself; this says why, once.
      if (redis.status !== 'ready')
        return Promise.reject(new Error(`Redis is not connected (${redis.status})`));
      return new Promise((resolve, reject) => {
        waiting.push({
          ...takeContents(entries, validationTokens),
          since: performance.now(),
          resolve,
          reject,
        });
        if (!writing) void writeAll();
      });
    },
    close: () => queue.close(),
  };
}

/** The entries of a POST, those with a content named after it, and what they carry together. */
function takeContents(
  entries: readonly InboxEntry[],
  tokens: readonly string[],
): Pick<Request, 'entries' | 'carried'> {
  const post = randomUUID();
  const contents: StoredContent[] = [];
  const named = entries.map(({ content, ...entry }): InboxEntry => {
    if (content === undefined || entry.news.kind !== 'change') return entry;
    contents.push(content);
    return { ...entry, news: { ...entry.news, contentId: contentIdAt(post, contents.length - 1) } };
  });
  return { entries: named, carried: contents.length > 0 ? { post, contents, tokens } : undefined };
}

/** `WAIT` (Redis): how many replicas hold all that this connection has written. */
async function confirmReplicas(redis: Redis, replicas: number): Promise<void> {
  const confirmed = await redis.wait(replicas, 1000);
  if (confirmed < replicas) throw new Error(`${confirmed} of ${replicas} replicas confirmed the write`);
}
