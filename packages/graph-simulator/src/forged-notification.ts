// Makes the POST that a forger would send in the place of a true one.
import { createHmac, randomUUID } from 'node:crypto';
import type { Forgery, TokenForgery } from './forgery-kinds.ts';
import { isTokenForgery } from './forgery-kinds.ts';
import type { JsonObject } from './graph-exchange.ts';
import { type BodyItem, collectionBody } from './notification-body.ts';
import type { EncryptedContent } from './resource-encryption.ts';
import {
  signedToken,
  type TokenAudience,
  unsignedToken,
  type ValidationTokens,
} from './validation-tokens.ts';

const DAY_SECONDS = 86_400;
const MANY_TOKENS = 10_000;

type TokenMaker = (tokens: ValidationTokens, audience: TokenAudience) => Promise<readonly string[] | null>;

/** Claims that are wrong in one point, signed by the right key. */
function wrongClaims(change: (claims: Readonly<Record<string, unknown>>) => JsonObject): TokenMaker {
  return async (tokens, audience) => {
    const claims = tokens.claims(audience);
    return [signedToken({ ...claims, ...change(claims) }, await tokens.keys.signing())];
  };
}

const shiftedTimes = (seconds: number) =>
  wrongClaims(({ iat, nbf, exp }) => ({
    iat: Number(iat) + seconds,
    nbf: Number(nbf) + seconds,
    exp: Number(exp) + seconds,
  }));

/** Small ones: their number is the trouble, and a reader's limit on bytes should not be what meets it. */
function worthlessTokens(): string[] {
  return Array.from({ length: MANY_TOKENS - 1 }, (_, i) => {
    const text = unsignedToken({ typ: 'JWT', alg: 'RS256', kid: `none-${i}` }, { aud: `${i}` });
    return `${text}.${Buffer.from(`signature ${i}`).toString('base64url')}`;
  });
}

const TOKEN_MAKERS: Readonly<Record<Exclude<TokenForgery, 'no-tokens'>, TokenMaker>> = {
  'alg-none': async (tokens, audience) => [
    `${unsignedToken({ typ: 'JWT', alg: 'none' }, tokens.claims(audience))}.`,
  ],
  hs256: async (tokens, audience) => {
    const { kid, publicKey } = await tokens.keys.signing();
    const text = unsignedToken({ typ: 'JWT', alg: 'HS256', kid }, tokens.claims(audience));
    const secret = publicKey.export({ type: 'spki', format: 'pem' });
    return [`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`];
  },
  'wrong-kid': async (tokens, audience) => [
    signedToken(tokens.claims(audience), await tokens.keys.foreign()),
  ],
  'foreign-key': async (tokens, audience) => {
    const { privateKey } = await tokens.keys.foreign();
    const { kid } = await tokens.keys.signing();
    return [signedToken(tokens.claims(audience), { privateKey, kid })];
  },
  // True in every point, and for somebody else.
  'foreign-tenant': async (tokens, audience) => [await tokens.issue({ ...audience, tenantId: randomUUID() })],
  'foreign-audience': async (tokens, audience) => [await tokens.issue({ ...audience, appId: randomUUID() })],
  // Both names of it, whichever version the token has.
  'foreign-publisher': wrongClaims(({ appid, azp }) => ({
    ...(appid !== undefined && { appid: randomUUID() }),
    ...(azp !== undefined && { azp: randomUUID() }),
  })),
  'foreign-issuer': wrongClaims(({ tid }) => ({ iss: `https://sts.example.com/${tid}/` })),
  expired: shiftedTimes(-2 * DAY_SECONDS),
  'not-yet-valid': shiftedTimes(2 * DAY_SECONDS),
  'null-tokens': async () => null,
  'many-tokens': async (tokens, audience) => [...worthlessTokens(), await tokens.issue(audience)],
};

/** Base64 of the same bytes with one bit of the middle one turned round. */
function tampered(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes.toString('base64');
}

type ItemForger = (item: JsonObject) => JsonObject;

function wrongContent(change: (content: EncryptedContent) => Partial<EncryptedContent>): ItemForger {
  return (item) => {
    const content = item.encryptedContent as EncryptedContent | undefined;
    return content === undefined ? item : { ...item, encryptedContent: { ...content, ...change(content) } };
  };
}

const ITEM_FORGERS: Readonly<Record<Exclude<Forgery, TokenForgery>, ItemForger>> = {
  'tampered-data': wrongContent(({ data }) => ({ data: tampered(data) })),
  'tampered-key': wrongContent(({ dataKey }) => ({ dataKey: tampered(dataKey) })),
  'tampered-signature': wrongContent(({ dataSignature }) => ({ dataSignature: tampered(dataSignature) })),
  'unknown-certificate': wrongContent(() => ({ encryptionCertificateId: randomUUID() })),
  'wrong-client-state': (item) => ({ ...item, clientState: randomUUID() }),
  'no-client-state': ({ clientState: _left, ...item }) => item,
};

/** The body of a POST with this item alone, wrong in the one way that is asked for. */
export async function forgedBody(
  { audience, json }: BodyItem,
  forgery: Forgery,
  tokens: ValidationTokens,
): Promise<string> {
  if (isTokenForgery(forgery)) {
    if (forgery === 'no-tokens' || audience === undefined) return collectionBody([json], undefined);
    return collectionBody([json], await TOKEN_MAKERS[forgery](tokens, audience));
  }
  const item = JSON.stringify(ITEM_FORGERS[forgery](JSON.parse(json)));
  return collectionBody([item], audience === undefined ? undefined : [await tokens.issue(audience)]);
}
