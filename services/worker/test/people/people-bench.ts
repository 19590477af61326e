/** A simulated Graph with a directory, and a `WishSource` on it, for tests of who is wanted. */

import type { GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import { parseSubscriptionsFile } from '../../src/declaration/read-declaration.ts';
import { createWishSource } from '../../src/people/create-wish-source.ts';
import { createDirectory } from '../../src/people/directory.ts';
import type { WishSource } from '../../src/people/wish-source.ts';
import { type OwnRedis, ownRedis } from '../support/own-redis.ts';
import { type KeptLog, keptLog } from '../support/silent-log.ts';
import type { SimulatedGraph } from '../support/simulated-graph.ts';
import { simulateGraph } from '../support/simulated-graph.ts';

export const EVERY_MS = 300_000;

export type PeopleBench = SimulatedGraph & {
  readonly own: OwnRedis;
  readonly log: KeptLog;
  /** As a worker that has just started has it; all share Redis and the clock. */
  readonly start: (entries: string) => WishSource;
  /** Epoch milliseconds, moved on by hand. */
  readonly clock: { now: number };
  /** What was waited for between tries, in milliseconds. */
  readonly waits: number[];
  /** Object ids whom the source wants, in order. */
  readonly wanted: (source: WishSource) => Promise<string[]>;
  /** Makes a user; its object id. */
  readonly addUser: (fields: Record<string, unknown>) => string;
  readonly addGroup: (fields: Record<string, unknown>, ...members: string[]) => string;
  /** GETs of /users and /groups so far. */
  readonly listings: () => string[];
};

export async function setUpPeople(options: GraphSimulatorOptions = {}): Promise<PeopleBench> {
  const graph = await simulateGraph({ users: 3, ...options });
  const { simulator, client } = graph;
  const [own, log] = [ownRedis(), keptLog()];
  const clock = { now: Date.UTC(2026, 10, 23, 12) };
  const waits: number[] = [];
  const directory = createDirectory({
    client,
    graphUrl: simulator.url,
    wait: async (ms) => void waits.push(ms),
  });
  const idOf = (path: string) => path.split('/').at(-1) ?? '';
  return {
    ...graph,
    own,
    log,
    clock,
    waits,
    start(entries) {
      const defaults = { tenantId: simulator.tenantId, topic: 'graph.events' };
      return createWishSource({
        entries: parseSubscriptionsFile(`subscriptions:\n${entries}`, 'f', defaults).entries,
        directoryOf: (tenantId) => (tenantId === simulator.tenantId ? directory : undefined),
        redis: own.redis,
        names: own.names,
        everyMs: EVERY_MS,
        log,
        now: () => clock.now,
      });
    },
    wanted: async (source) => (await source.current()).map(({ key }) => key.split('/')[1] ?? key).sort(),
    addUser: (fields) => idOf(simulator.items.create('users', fields).path.key),
    addGroup(fields, ...members) {
      const id = idOf(simulator.items.create('groups', fields).path.key);
      for (const member of members) simulator.directoryObjects.addMember(id, member);
      return id;
    },
    listings: () =>
      simulator.requests
        .filter(({ path }) => /^\/v1\.0\/(users|groups)\b/.test(path))
        .map(({ path }) => path.replace('/v1.0', '')),
  };
}
