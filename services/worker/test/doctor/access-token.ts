/** Access tokens as Entra makes them, for what is only looked at. */
import type { AccessToken } from '@azure/identity';

export const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
export const CLIENT = 'b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7';

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function jwtOf(claims: Record<string, unknown>): string {
  return `${base64url({ alg: 'RS256', typ: 'JWT' })}.${base64url(claims)}.PLANTED-SIGNATURE`;
}

/** Of the global cloud unless said, for an hour from `now` on. */
export function accessToken(claims: Record<string, unknown>, now: number): AccessToken {
  const usual = { iss: `https://sts.windows.net/${TENANT}/`, aud: 'https://graph.microsoft.com' };
  return { token: jwtOf({ ...usual, ...claims }), expiresOnTimestamp: now + 3_600_000 };
}
