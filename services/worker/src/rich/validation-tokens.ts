/**
 * Checks the validation tokens of a rich POST: the proof that its items come from Graph, tenant by tenant
 * (Graph: change-notifications-with-resource-data, "Validating the authenticity of notifications").
 */
import { createHash } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, errors } from 'jose';
import { createBoundedCache } from './bounded-cache.ts';
import { createSigningKeys, type Fetch, type SigningKeys } from './signing-keys.ts';
import type { TokenAuthority, TokenVersion } from './token-authority.ts';
import {
  type Claims,
  type ClaimsRefusal,
  judgeClaims,
  type Proof,
  versionOf,
  wasValidAt,
} from './token-claims.ts';

export type TokenVerifierOptions = {
  /** Ids of the apps that the subscriptions are made by, or that their notificationUrlAppId names. */
  readonly audiences: readonly string[];
  readonly authority: TokenAuthority;
  /** Node's own by default: it trusts the authorities that this process trusts. */
  readonly fetch?: Fetch;
  /** For a request for keys. */
  readonly timeoutMs?: number;
};

export type TokenVerifier = {
  /**
   * Which tenants the tokens of one POST prove, as of the time at which it was received (epoch ms). Never rejects.
   * Looks at 20 tokens at most: there is one for each app and tenant in a POST.
   */
  verify(tokens: Iterable<string | null>, receivedAt: number): Promise<ProvenTenants>;
};

export type ProvenTenants = {
  /** In lower case. */
  readonly tenants: ReadonlySet<string>;
  /** A token could not be judged, since no list of keys could be had that is as new as the POST. */
  readonly undecided: boolean;
  /** Why the others prove nothing, for metrics and logs. */
  readonly refusals: readonly TokenRefusal[];
};

export type TokenRefusal = ClaimsRefusal | 'algorithm' | 'signature' | 'unknownKey' | 'time';

/** "undecided" can wait; "unproven" is for good, and such an item is never published. */
export type TenantVerdict = 'proven' | 'undecided' | 'unproven';

export function verdictFor(tenantId: string, { tenants, undecided }: ProvenTenants): TenantVerdict {
  if (tenants.has(tenantId.toLowerCase())) return 'proven';
  return undecided ? 'undecided' : 'unproven';
}

const MOST_TOKENS = 20;
/** Graph's have some 1,500. */
const MOST_CHARACTERS = 8192;
/** A POST's token is looked at again for each of its items, and Graph uses one for hours. */
const MOST_REMEMBERED = 1000;

type Judgement = Proof | TokenRefusal;
type Remembered = { readonly judgement: Judgement; readonly keysAsOf: number };

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { authority, fetch = globalThis.fetch, timeoutMs } = options;
  const audiences = options.audiences.map((audience) => audience.toLowerCase());
  const keysFor: Readonly<Record<TokenVersion, SigningKeys>> = {
    '1.0': createSigningKeys(authority.keysUrls['1.0'], { fetch, timeoutMs }),
    '2.0': createSigningKeys(authority.keysUrls['2.0'], { fetch, timeoutMs }),
  };
  const remembered = createBoundedCache<Remembered>(MOST_REMEMBERED);

  async function judge(token: string, receivedAt: number): Promise<Judgement | 'undecided'> {
    const header = readHeader(token);
    if (typeof header === 'string') return header;
    const keys = keysFor[header.version];
    const name = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(name);
    // With a new list, it is asked anew: a key may have been withdrawn.
    const keysAsOf = keys.asOf();
    if (known?.keysAsOf === keysAsOf) return known.judgement;
    const verified = await verifySignature(token, keys, receivedAt);
    if (verified === 'undecided' || verified === 'unknownKey') return verified;
    const judgement =
      typeof verified === 'string'
        ? verified
        : judgeClaims(verified, {
            audiences,
            issuers: authority.issuers,
            keyIssuer: keys.issuerOf(header.kid),
          });
    remembered.set(name, { judgement, keysAsOf });
    return judgement;
  }

  return {
    async verify(tokens, receivedAt) {
      const judgements = await Promise.all(
        firstOf(tokens, MOST_TOKENS).map((token) => judge(token, receivedAt)),
      );
      return summarize(judgements, receivedAt);
    },
  };
}

/** Without those that are no tokens and those said twice. */
function firstOf(tokens: Iterable<string | null>, most: number): string[] {
  const first = new Set<string>();
  for (const token of tokens) {
    if (token !== null) first.add(token);
    if (first.size === most) break;
  }
  return [...first];
}

/** What decides by which keys a token is to be checked; of the rest of its header, nothing is believed. */
function readHeader(token: string): { readonly kid: string; readonly version: TokenVersion } | TokenRefusal {
  if (token.length > MOST_CHARACTERS) return 'form';
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    if (alg !== 'RS256') return 'algorithm';
    const version = versionOf(decodeJwt(token));
    if (version === undefined) return 'version';
    return typeof kid === 'string' ? { kid, version } : 'form';
  } catch {
    return 'form';
  }
}

/** The claims of a token whose signature is right. */
async function verifySignature(
  token: string,
  keys: SigningKeys,
  receivedAt: number,
): Promise<Claims | 'algorithm' | 'form' | 'signature' | 'unknownKey' | 'undecided'> {
  try {
    await compactVerify(token, keys.find, { algorithms: ['RS256'] });
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
    if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
    if (error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported) return 'form';
    // Keys are published before they sign: a list that is as new as the POST has to know the one of a true token.
    if (error instanceof errors.JWKSNoMatchingKey && keys.asOf() >= receivedAt) return 'unknownKey';
    return 'undecided';
  }
}

function summarize(judgements: readonly (Judgement | 'undecided')[], receivedAt: number): ProvenTenants {
  const tenants = new Set<string>();
  const refusals: TokenRefusal[] = [];
  for (const judgement of judgements) {
    if (judgement === 'undecided') continue;
    if (typeof judgement === 'string') refusals.push(judgement);
    else if (wasValidAt(judgement, receivedAt)) tenants.add(judgement.tenantId);
    else refusals.push('time');
  }
  return { tenants, undecided: judgements.includes('undecided'), refusals };
}
