/**
 * Google's application default credentials beside a machine's own: a file that GOOGLE_APPLICATION_CREDENTIALS names, or
 * the one that `gcloud auth application-default login` leaves (Google: application-default-credentials).
 */
import { sign } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../parse-config.ts';
import { readSecretFile } from './read-secret-file.ts';
import { SecretError } from './secret-error.ts';
import { requestJson } from './secret-request.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const LIFE_S = 600;

const credentialsSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('service_account'), client_email: z.string(), private_key: z.string() }),
  z.object({
    type: z.literal('authorized_user'),
    client_id: z.string(),
    client_secret: z.string(),
    refresh_token: z.string(),
  }),
]);
type Credentials = z.output<typeof credentialsSchema>;

/** `undefined`: the machine's own service account is to be asked for. */
export async function findCredentialsFile(environment: Environment): Promise<string | undefined> {
  const { GOOGLE_APPLICATION_CREDENTIALS: named, CLOUDSDK_CONFIG: folder, HOME: home } = environment;
  if (named) return named;
  const ofGcloud = folder || (home ? join(home, '.config/gcloud') : undefined);
  if (ofGcloud === undefined) return undefined;
  const file = join(ofGcloud, 'application_default_credentials.json');
  return access(file).then(
    () => file,
    () => undefined,
  );
}

/** Throws a `SecretError` that names the file, and nothing of what is in it. */
export async function tokenOfCredentials(path: string, tokenUrl: URL, nowMs: number): Promise<string> {
  const credentials = await readCredentials(path);
  const { json } = await requestJson(
    "Google's token endpoint",
    tokenUrl,
    {},
    formOf(credentials, tokenUrl, nowMs),
  );
  if (typeof json.access_token !== 'string') throw new SecretError("Google's token endpoint gave no token");
  return json.access_token;
}

async function readCredentials(path: string): Promise<Credentials> {
  const text = await readSecretFile(path).catch((error: unknown) => {
    if (!(error instanceof SecretError)) throw error;
    throw new SecretError(`needs Google's credentials, and ${path} ${error.message}`, { cause: error });
  });
  const parsed = credentialsSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new SecretError(
    `needs Google's credentials, and ${path} holds neither a key of a service account nor the login of a user`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function formOf(credentials: Credentials, tokenUrl: URL, nowMs: number): Record<string, string> {
  if (credentials.type === 'authorized_user') {
    const { client_id, client_secret, refresh_token } = credentials;
    return { grant_type: 'refresh_token', client_id, client_secret, refresh_token };
  }
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertionOf(credentials, tokenUrl, nowMs),
  };
}

/** A signed claim of who asks (RFC 7523), for which the endpoint gives a token. */
function assertionOf(
  { client_email: email, private_key: key }: Extract<Credentials, { type: 'service_account' }>,
  tokenUrl: URL,
  nowMs: number,
): string {
  const iat = Math.floor(nowMs / 1000);
  const claims = { iss: email, scope: SCOPE, aud: tokenUrl.href, iat, exp: iat + LIFE_S };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  try {
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
  } catch (error) {
    throw new SecretError("needs Google's credentials, and the key in their file is none", { cause: error });
  }
}
