/** A secret from Google Secret Manager (REST: versions.access), with the application default credentials. */
import { readGoogleAccessToken } from '../google-metadata.ts';
import type { Environment } from '../parse-config.ts';
import { findCredentialsFile, tokenOfCredentials } from './google-credentials.ts';
import { SecretError } from './secret-error.ts';
import type { SecretReference } from './secret-reference.ts';
import { requestJson } from './secret-request.ts';

type SecretManagerReference = Extract<SecretReference, { kind: 'secretManager' }>;

export type SecretManagerAccess = {
  /** Only tests bring other places. */
  readonly metadataOrigin?: string;
  readonly secretManagerOrigin?: string;
  readonly tokenUrl?: string;
  /** Where GOOGLE_APPLICATION_CREDENTIALS and the home of gcloud's own file are looked up. */
  readonly environment?: Environment;
};

/** Throws a `SecretError`. */
export async function readSecretManager(
  { project, secret, version }: SecretManagerReference,
  {
    metadataOrigin,
    secretManagerOrigin = 'https://secretmanager.googleapis.com',
    tokenUrl = 'https://oauth2.googleapis.com/token',
    environment = {},
  }: SecretManagerAccess,
): Promise<string> {
  const file = await findCredentialsFile(environment);
  const token =
    file === undefined
      ? (await readGoogleAccessToken(metadataOrigin)).token
      : await tokenOfCredentials(file, new URL(tokenUrl), Date.now());
  const path = `/v1/projects/${project}/secrets/${secret}/versions/${version}:access`;
  const { json } = await requestJson('Secret Manager', new URL(path, secretManagerOrigin), {
    authorization: `Bearer ${token}`,
  });
  const { data } = (json.payload ?? {}) as { data?: unknown };
  if (typeof data !== 'string') throw new SecretError('Secret Manager answered without a payload');
  return Buffer.from(data, 'base64').toString('utf8');
}
