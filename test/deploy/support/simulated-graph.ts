/** Controls a simulated Graph that runs as a container, by its control calls. */
import { Agent, fetch } from 'undici';

export type SimulatedGraph = {
  users(): Promise<readonly { readonly id: string }[]>;
  /** How many subscriptions there are. */
  subscriptions(): Promise<number>;
  createEvent(userId: string, subject: string): Promise<{ readonly id: string }>;
  /** Changes per second in all calendars; 0 ends them. */
  live(changesPerSecond: number): Promise<void>;
};

/** `address` is `host:port`; the certificate is looked at under the name `localhost`, which it always has. */
export function controlGraph(address: string, ca: string): SimulatedGraph {
  const agent = new Agent({ connect: { ca, servername: 'localhost' } });
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`https://${address}/simulator${path}`, {
      method,
      dispatcher: agent,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const valuesOf = async (path: string) => (await call('GET', path)).value as { readonly id: string }[];
  return {
    users: () => valuesOf('/users'),
    subscriptions: async () => (await valuesOf('/subscriptions')).length,
    createEvent: async (userId, subject) => {
      const created = await call('POST', `/items/users/${userId}/events`, { subject });
      return {
        id: String(
          created.id ??
            String(created.resource ?? created.path)
              .split('/')
              .at(-1),
        ),
      };
    },
    live: async (changesPerSecond) => {
      if (changesPerSecond === 0) await call('DELETE', '/life');
      else await call('POST', '/life', { changesPerSecond });
    },
  };
}
