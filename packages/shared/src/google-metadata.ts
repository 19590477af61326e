/**
 * What Google's metadata server tells a program that runs on Google's machines (Cloud Run, GKE, Compute Engine): tokens of
 * the service account that it runs as. The address is plain HTTP by design; it leads no further than the machine.
 */
import { SecretError } from './secrets/secret-error.ts';
import { parseObject, requestText } from './secrets/secret-request.ts';

const PEER = 'the metadata server';
const GOOGLE_METADATA_ORIGIN = 'http://metadata.google.internal';

/** `path` below `/computeMetadata/v1/instance/service-accounts/default/`. Throws a `SecretError`. */
export async function readGoogleMetadata(path: string, origin = GOOGLE_METADATA_ORIGIN): Promise<string> {
  const url = new URL(`/computeMetadata/v1/instance/service-accounts/default/${path}`, origin);
  const answer = await requestText(PEER, url, { 'metadata-flavor': 'Google' });
  if (!answer.ok) throw new SecretError(`${PEER} answered ${answer.status}`);
  // A captive portal that answers in its place does not say this (Google's advice).
  const isGoogle = answer.headers.get('metadata-flavor') === 'Google';
  if (!isGoogle || answer.text === '') throw new SecretError(`${PEER} gave no token`);
  return answer.text;
}

type GoogleToken = { readonly token: string; readonly lifeSeconds: number };

/** An access token for Google's own services. Throws a `SecretError`. */
export async function readGoogleAccessToken(origin?: string): Promise<GoogleToken> {
  const answer = parseObject(await readGoogleMetadata('token', origin)) ?? {};
  const { access_token: token, expires_in: lifeSeconds } = answer;
  if (typeof token !== 'string' || typeof lifeSeconds !== 'number')
    throw new SecretError(`${PEER} gave no token`);
  return { token, lifeSeconds };
}
