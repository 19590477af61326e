/** Calls the simulated Graph as another client of the same app would. */
import type { GraphSimulator } from '@graph2kafka/graph-simulator';
import { Agent, fetch } from 'undici';

/** The JSON answer; `{}` where there is none. Throws on any status but 2xx. */
export async function callGraph(
  simulator: GraphSimulator,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const agent = new Agent({ connect: { ca: simulator.caCertificate } });
  try {
    const token = await requestToken(simulator, agent);
    const response = await fetch(`${simulator.url}/v1.0${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      dispatcher: agent,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  } finally {
    await agent.close();
  }
}

async function requestToken(
  { url, tenantId, clientId, clientSecret }: GraphSimulator,
  agent: Agent,
): Promise<string> {
  const response = await fetch(`${url}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://graph.microsoft.com/.default',
    }),
    dispatcher: agent,
  });
  return ((await response.json()) as { access_token: string }).access_token;
}
