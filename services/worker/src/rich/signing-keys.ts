/** The public keys that sign validation tokens: fetched from the configured address, kept, and fetched again rarely. */
import {
  type CompactVerifyGetKey,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWKSCacheInput,
  jwksCache,
} from 'jose';

export type SigningKeys = {
  /**
   * The key that a token's header names. Rejects with jose's `JWKSNoMatchingKey` where the list of `asOf` names no
   * such key; with anything else where no list could be had.
   */
  readonly find: CompactVerifyGetKey;
  /** Epoch ms at which the list in use was fetched; 0 before. */
  asOf(): number;
  /** The issuer that the list names for a key. */
  issuerOf(kid: string): string | undefined;
};

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** As Microsoft's own libraries: a list is used for 12 hours, and one more key is looked for after 5 minutes. */
const LIST_LIFE_MS = 12 * 3_600_000;
const UNKNOWN_KEY_PAUSE_MS = 300_000;
/** Between two requests, also where the last one brought nothing. */
const REQUEST_PAUSE_MS = 10_000;
const TIMEOUT_MS = 5000;
/** Entra's list of some ten keys with their certificates has 15 kB. */
const MAX_LIST_BYTES = 512 * 1024;

export type SigningKeysOptions = {
  readonly fetch: Fetch;
  /** For the whole request, body included. */
  readonly timeoutMs?: number | undefined;
};

export function createSigningKeys(
  url: string,
  { fetch, timeoutMs = TIMEOUT_MS }: SigningKeysOptions,
): SigningKeys {
  const list: JWKSCacheInput = {};
  const find = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: LIST_LIFE_MS,
    cooldownDuration: UNKNOWN_KEY_PAUSE_MS,
    timeoutDuration: timeoutMs,
    [customFetch]: boundedFetch(fetch),
    [jwksCache]: list,
  });
  return {
    find,
    asOf: () => list.uat ?? 0,
    issuerOf(kid) {
      // Entra's own addition to a key, which jose hands on with the rest.
      const key = find.jwks()?.keys.find((one) => one.kid === kid) as { issuer?: unknown } | undefined;
      return typeof key?.issuer === 'string' ? key.issuer : undefined;
    },
  };
}

/** Never sooner than a pause after the last request, and never more of an answer than a list can be. */
function boundedFetch(fetch: Fetch): Fetch {
  let notBefore = 0;
  return async (url, init) => {
    if (Date.now() < notBefore) throw new errors.JOSEError('the keys were asked for a moment ago');
    notBefore = Date.now() + REQUEST_PAUSE_MS;
    const answer = await fetch(url, { ...init, redirect: 'error' });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw new errors.JOSEError(`the address of the keys answers ${answer.status}`);
    }
    return new Response(await readBounded(answer.body), { status: answer.status });
  };
}

/** Of the inflated body. */
async function readBounded(body: ReadableStream<Uint8Array> | null): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_LIST_BYTES)
      throw new errors.JOSEError(`the list of keys is longer than ${MAX_LIST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
