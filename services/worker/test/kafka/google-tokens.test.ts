/** What the worker shows to Google's Managed Service for Apache Kafka. */
import { describe, expect, it } from 'vitest';
import { createGoogleKafkaTokens } from '../../src/kafka/google-tokens.ts';
import { startHttpPeer } from '../support/http-peer.ts';

const ACCOUNT = 'worker@my-project.iam.gserviceaccount.com';
const NOW_MS = 1_795_000_000_500;

/** The metadata server, with a new access token at each request. */
async function startMetadataServer() {
  let given = 0;
  return startHttpPeer((request, response) => {
    response.writeHead(200, { 'metadata-flavor': 'Google' });
    if (request.url?.endsWith('/email')) return response.end(`${ACCOUNT}\n`);
    given++;
    return response.end(
      JSON.stringify({ access_token: `token-${given}`, expires_in: 1200, token_type: 'Bearer' }),
    );
  });
}

const decode = (part = '') => Buffer.from(part, 'base64url').toString('utf8');

describe("a token for Google's Kafka", () => {
  it("is the account's access token in the form of Google's login handler", async () => {
    const { url } = await startMetadataServer();
    const [header, claims, token, ...more] = (await createGoogleKafkaTokens(url, () => NOW_MS)()).split('.');
    expect(JSON.parse(decode(header))).toEqual({ typ: 'JWT', alg: 'GOOG_OAUTH2_TOKEN' });
    expect(JSON.parse(decode(claims))).toEqual({
      iss: 'Google',
      sub: ACCOUNT,
      scope: 'kafka',
      iat: 1_795_000_000,
      exp: 1_795_001_200,
    });
    expect(decode(token)).toBe('token-1');
    expect(more).toEqual([]);
  });

  it('is a new one at each sign-in, of the same account', async () => {
    const peer = await startMetadataServer();
    const next = createGoogleKafkaTokens(peer.url);
    const tokens = [await next(), await next()].map((text) => decode(text.split('.')[2]));
    expect(tokens).toEqual(['token-1', 'token-2']);
    expect(peer.hits).toBe(3);
  });

  it('cannot be had where there is no metadata server', async () => {
    await expect(createGoogleKafkaTokens('http://127.0.0.1:1')()).rejects.toThrow(
      'the metadata server cannot be reached',
    );
  });
});
