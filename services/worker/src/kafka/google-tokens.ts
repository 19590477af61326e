/**
 * Tokens for SASL OAUTHBEARER at Google's Managed Service for Apache Kafka, of the service account that the worker runs as:
 * an access token in the form of a JWT without a signature, as Google's own login handler sends it
 * (cloud.google.com/managed-service-for-apache-kafka/docs/authentication-kafka).
 */
import { readGoogleAccessToken, readGoogleMetadata } from '@graph2kafka/shared';

/** A function that gives a token; the metadata server keeps it for its life, so that nothing is kept here. */
export function createGoogleKafkaTokens(
  metadataOrigin?: string,
  now: () => number = Date.now,
): () => Promise<string> {
  let account: string | undefined;
  return async () => {
    account ??= (await readGoogleMetadata('email', metadataOrigin)).trim();
    const { token, lifeSeconds } = await readGoogleAccessToken(metadataOrigin);
    const issuedAt = Math.floor(now() / 1000);
    const claims = {
      iss: 'Google',
      sub: account,
      scope: 'kafka',
      iat: issuedAt,
      exp: issuedAt + lifeSeconds,
    };
    return [JSON.stringify({ typ: 'JWT', alg: 'GOOG_OAUTH2_TOKEN' }), JSON.stringify(claims), token]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
  };
}
