/**
 * What rich notifications carry, beside the inbox: an entry names its content, so that what is read at each begin and
 * written at each append stays small. All contents of a POST and its tokens are one hash, written by one command before
 * the entries (Redis syncs its log once for it); the hash goes with its last content, or by itself.
 */
import type { Redis } from 'ioredis';
import type { QueueNames } from './owner-queue.ts';

/** Graph's `encryptedContent`. */
export type StoredContent = {
  readonly data: string;
  readonly dataKey: string;
  readonly dataSignature: string;
  readonly encryptionCertificateId: string;
  readonly encryptionCertificateThumbprint?: string | undefined;
};

/** What one POST carried: each content under the `contentId` of its entry. */
export type CarriedByPost = {
  /** Without a dot. */
  readonly post: string;
  readonly contents: readonly StoredContent[];
  readonly tokens: readonly string[];
};

/** Longer than any entry waits. */
export const CONTENT_LIFE_SECONDS = 72 * 3600;

/** A POST has one token for each app and tenant in it. */
export const MOST_TOKENS = 20;

const TOKENS = 'tokens';

/** Names the n-th content of a POST. */
export function contentIdAt(post: string, n: number): string {
  return `${post}.${n}`;
}

export type ContentStore = {
  /** Resolves once Redis has all of it. */
  put(carried: CarriedByPost): Promise<void>;
  /** By id; what is gone is left out. */
  contents(ids: readonly string[]): Promise<ReadonlyMap<string, StoredContent>>;
  /** Of the POST that carried the content. */
  tokens(contentId: string): Promise<readonly string[]>;
  remove(ids: readonly string[]): Promise<void>;
};

/** KEYS hash · ARGV contents: the tokens go with the last of them. */
const dropContents = `
redis.call('HDEL', KEYS[1], unpack(ARGV))
local left = redis.call('HLEN', KEYS[1])
if left == 0 or left == 1 and redis.call('HEXISTS', KEYS[1], '${TOKENS}') == 1 then redis.call('UNLINK', KEYS[1]) end
return left`;

type Scripted = Redis & { g2kDropContents(key: string, ...contents: string[]): Promise<number> };

export function createContentStore(connection: Redis, names: QueueNames): ContentStore {
  if (!('g2kDropContents' in connection)) {
    connection.defineCommand('g2kDropContents', { numberOfKeys: 1, lua: dropContents });
  }
  const redis = connection as Scripted;
  const keyOf = (post: string) => `${names.prefix}:content:${post}`;
  return {
    async put({ post, contents, tokens }) {
      const fields = contents.flatMap((content, n) => [String(n), JSON.stringify(content)]);
      const key = keyOf(post);
      await Promise.all([
        redis.hset(key, ...fields, TOKENS, JSON.stringify(tokens)),
        redis.expire(key, CONTENT_LIFE_SECONDS),
      ]);
    },
    async contents(ids) {
      const found = await Promise.all(
        [...byPost(ids)].map(async ([post, parts]) => {
          const values = await redis.hmget(keyOf(post), ...parts.map(({ field }) => field));
          return parts.flatMap(({ id }, n): [string, StoredContent][] => {
            const json = values[n];
            return json == null ? [] : [[id, JSON.parse(json) as StoredContent]];
          });
        }),
      );
      return new Map(found.flat());
    },
    async tokens(contentId) {
      const json = await redis.hget(keyOf(partOf(contentId).post), TOKENS);
      return json === null ? [] : (JSON.parse(json) as string[]);
    },
    async remove(ids) {
      await Promise.all(
        [...byPost(ids)].map(([post, parts]) =>
          redis.g2kDropContents(keyOf(post), ...parts.map(({ field }) => field)),
        ),
      );
    },
  };
}

type Part = { readonly id: string; readonly post: string; readonly field: string };

function partOf(id: string): Part {
  const [post = '', field = ''] = id.split('.', 2);
  return { id, post, field };
}

function byPost(ids: readonly string[]): Map<string, Part[]> {
  return Map.groupBy(ids.map(partOf), ({ post }) => post);
}
