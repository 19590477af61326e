/** A deployment for commands on subscriptions: simulated Graph, Redis, an endpoint that answers the handshake, a file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import { inject, onTestFinished } from 'vitest';
import { g2k } from './dead-letters.ts';
import { startNotificationEndpoint } from './notification-endpoint.ts';
import { ownRedis } from './own-redis.ts';
import { simulateGraph } from './simulated-graph.ts';

export async function subscriptionCommands(options: GraphSimulatorOptions = {}) {
  const { simulator } = await simulateGraph({ users: 3, ...options });
  const { redis, names } = ownRedis();
  const endpoint = await startNotificationEndpoint();
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-commands-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'subscriptions.yaml');
  const environment: Record<string, string> = {
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: names.prefix.replace(/^\{|-0\}$/g, ''),
    CLIENT_STATE_SECRETS: 'PLANTED-client-state-secret',
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.clientId,
    AZURE_CLIENT_SECRET: simulator.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.url,
    GRAPH_URL: simulator.url,
    NOTIFICATION_URL: endpoint.url,
    SUBSCRIPTIONS_FILE: file,
  };
  const users = simulator.users().map(({ id }) => id);
  const isId = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
  return {
    simulator,
    redis,
    names,
    endpoint,
    environment,
    dir,
    users,
    want: (yaml: string) => writeFile(file, yaml),
    /** `calendars` of these users. */
    wantCalendars: (wanted: readonly string[], more = '') =>
      writeFile(
        file,
        `subscriptions:\n  - name: calendars\n    resource: users/{user}/events\n    users: [${wanted.join(', ')}]\n${more}`,
      ),
    run: (words: string, more: Parameters<typeof g2k>[2] = {}) => g2k(words.split(' '), environment, more),
    /** What differs from run to run: users become `user-1`…, other ids `ID`, times `TIME`. */
    settled: (text: string) =>
      users
        .reduce((plain, id, i) => plain.replaceAll(id, `user-${i + 1}`), text)
        .replaceAll(isId, 'ID')
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
        .replaceAll(/\b(in|about) (\d+ (d|h|min|s) ?)+/g, '$1 SPAN ')
        .replaceAll(/ (\d+ (d|h|min|s) )+ago/g, ' SPAN ago')
        .replaceAll(/ +$/gm, '')
        .split('\n'),
    /** What Graph has, whosever it is. */
    atGraph: () => simulator.subscriptions.list(),
  };
}
