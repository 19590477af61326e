/**
 * What rich notifications carry, beside the inbox: an entry names its content, so that what is read at each begin and
 * written at each append stays small. All contents of a POST and its tokens are one value, written by one command before
 * the entries (Redis syncs its log once for it); the value goes with its last content, or by itself.
 */
import type { Redis } from 'ioredis';
import type { QueueNames } from './owner-queue.ts';
import { packParts, partScripts } from './packed-parts.ts';

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

type Scripted = Redis & {
  g2kReadPartsBuffer(key: string, ...parts: number[]): Promise<(Buffer | null)[]>;
  g2kDropParts(key: string, ...parts: number[]): Promise<number>;
};

/** The part that holds the tokens; the n-th content is part n + 1. */
const TOKENS = 0;
/** Of an id that names no content. */
const NO_PART = -1;

export function createContentStore(connection: Redis, names: QueueNames): ContentStore {
  for (const [name, script] of Object.entries(partScripts)) {
    if (!(name in connection)) connection.defineCommand(name, script);
  }
  const redis = connection as Scripted;
  const keyOf = (post: string) => `${names.prefix}:content:${post}`;
  return {
    async put({ post, contents, tokens }) {
      const packed = packParts(Buffer.from(JSON.stringify(tokens)), contents.map(encodeContent));
      await redis.set(keyOf(post), packed, 'EX', CONTENT_LIFE_SECONDS);
    },
    async contents(ids) {
      const found = await Promise.all(
        [...byPost(ids)].map(async ([post, places]) => {
          const parts = await redis.g2kReadPartsBuffer(keyOf(post), ...places.map(({ part }) => part));
          return places.flatMap(({ id }, n): [string, StoredContent][] => {
            const part = parts[n];
            return part == null ? [] : [[id, decodeContent(part)]];
          });
        }),
      );
      return new Map(found.flat());
    },
    async tokens(contentId) {
      const [json] = await redis.g2kReadPartsBuffer(keyOf(placeOf(contentId).post), TOKENS);
      return json == null ? [] : (JSON.parse(json.toString()) as string[]);
    },
    async remove(ids) {
      await Promise.all(
        [...byPost(ids)].map(([post, places]) =>
          redis.g2kDropParts(keyOf(post), ...places.map(({ part }) => part)),
        ),
      );
    },
  };
}

type Place = { readonly id: string; readonly post: string; readonly part: number };

function placeOf(id: string): Place {
  const [post = '', n = ''] = id.split('.', 2);
  return { id, post, part: /^\d+$/.test(n) ? Number(n) + 1 : NO_PART };
}

function byPost(ids: readonly string[]): Map<string, Place[]> {
  return Map.groupBy(ids.map(placeOf), ({ post }) => post);
}

const NEWLINE = 0x0a;

/**
 * JSON without `data`, a newline, which JSON has none of, and the bytes of `data`: nearly a fifth less than all as text.
 * Text that is not as base64 encodes it is kept with the others, as it came.
 */
function encodeContent(content: StoredContent): Buffer {
  const { data, ...others } = content;
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') !== data) return Buffer.from(`${JSON.stringify(content)}\n`);
  return Buffer.concat([Buffer.from(`${JSON.stringify(others)}\n`), bytes]);
}

function decodeContent(part: Buffer): StoredContent {
  const end = part.indexOf(NEWLINE);
  const data = part.toString('base64', end + 1);
  return { data, ...(JSON.parse(part.toString('utf8', 0, end)) as Omit<StoredContent, 'data'>) };
}
