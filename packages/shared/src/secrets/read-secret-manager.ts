/** A secret from Google Secret Manager (REST: versions.access), as the service account of the machine. */
import { SecretError } from './secret-error.ts';
import type { SecretReference } from './secret-reference.ts';
import { requestJson } from './secret-request.ts';

type SecretManagerReference = Extract<SecretReference, { kind: 'secretManager' }>;

export type SecretManagerAccess = {
  /** Only tests bring other places. */
  readonly metadataOrigin?: string;
  readonly secretManagerOrigin?: string;
};

const TOKEN_PATH = '/computeMetadata/v1/instance/service-accounts/default/token';

/** Throws a `SecretError`. */
export async function readSecretManager(
  { project, secret, version }: SecretManagerReference,
  {
    metadataOrigin = 'http://metadata.google.internal',
    secretManagerOrigin = 'https://secretmanager.googleapis.com',
  }: SecretManagerAccess,
): Promise<string> {
  const token = await readToken(metadataOrigin);
  const path = `/v1/projects/${project}/secrets/${secret}/versions/${version}:access`;
  const { json } = await requestJson('Secret Manager', new URL(path, secretManagerOrigin), {
    authorization: `Bearer ${token}`,
  });
  const { data } = (json.payload ?? {}) as { data?: unknown };
  if (typeof data !== 'string') throw new SecretError('Secret Manager answered without a payload');
  return Buffer.from(data, 'base64').toString('utf8');
}

async function readToken(metadataOrigin: string): Promise<string> {
  const { headers, json } = await requestJson('the metadata server', new URL(TOKEN_PATH, metadataOrigin), {
    'metadata-flavor': 'Google',
  });
  // A captive portal that answers in its place does not say this (Google's advice).
  const isGoogle = headers.get('metadata-flavor') === 'Google';
  if (!isGoogle || typeof json.access_token !== 'string')
    throw new SecretError('the metadata server gave no token');
  return json.access_token;
}
