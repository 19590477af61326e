/** What a login itself says where the library that asks it for tokens says only that it failed. */
import { Agent, request } from 'undici';

const WITHIN_MS = 5000;
const MOST_BYTES = 65_536;

/**
 * The error of the connection, or one with Entra's number alone, such as that for a tenant that it does not have;
 * undefined where the login answers as it should.
 */
export async function askLogin(loginUrl: string, tenantId: string): Promise<Error | undefined> {
  const url = new URL(`/${tenantId}/v2.0/.well-known/openid-configuration`, loginUrl);
  const agent = new Agent({ connections: 1, allowH2: false });
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    if (statusCode < 400) return undefined;
    let text = '';
    for await (const chunk of body) {
      text += chunk;
      if (text.length > MOST_BYTES) break;
    }
    const number = /AADSTS\d{4,9}/.exec(text)?.[0];
    return number === undefined ? undefined : new Error(number);
  } catch (thrown) {
    return thrown instanceof Error ? thrown : undefined;
  } finally {
    await agent.destroy().catch(() => undefined);
  }
}
