// subscriptions.example.yaml can be read, and fits the simulator that docker-compose.yml starts.
import { GraphSimulator } from '@graph2kafka/graph-simulator';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../packages/graph-simulator/src/command-line.ts';
import { parseWantedSubscriptions } from '../../services/worker/src/declaration/read-declaration.ts';
import { composeService } from './compose-file.ts';
import { readRepositoryFile } from './repository-file.ts';

const FILE = 'subscriptions.example.yaml';
const defaults = { topic: 'graph.events', tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10' };
const wishes = parseWantedSubscriptions(readRepositoryFile(FILE), FILE, defaults);

async function usersOfDemonstration(): Promise<string[]> {
  const command = parseCommandLine(composeService('simulator').command ?? []);
  if (command === 'help') throw new Error('the simulator is only asked for help');
  const { users, seed } = command.options;
  await using simulator = await GraphSimulator.start({
    ...(users !== undefined && { users }),
    ...(seed !== undefined && { seed }),
  });
  return simulator.users().map(({ id }) => id);
}

describe('subscriptions.example.yaml', () => {
  it('wants the calendar of every user of the demonstration', async () => {
    const users = await usersOfDemonstration();
    expect(wishes.map(({ resource }) => resource).sort()).toEqual(
      users.map((id) => `users/${id}/events`).sort(),
    );
  });

  it('shows further entries that can be wanted as they stand', () => {
    const [, further = ''] = readRepositoryFile(FILE).split(/^ {2}# Further entries.*$/m);
    const entries = further.replaceAll(/^ {2}# /gm, '  ');
    const lifecycleUrl = 'https://hooks.example/lifecycle';
    const parsed = parseWantedSubscriptions(`subscriptions:${entries}`, FILE, { ...defaults, lifecycleUrl });
    expect(parsed).toHaveLength(entries.match(/- name:/g)?.length ?? 0);
    expect(parsed.length).toBeGreaterThan(3);
  });

  it('names what else an entry may have, with values that it may have', () => {
    const [entry = ''] = readRepositoryFile(FILE).split(/^ {2}# Further entries.*$/m);
    const more = [...entry.matchAll(/^ {4}# {3}(\w+: .*)$/gm)].map(([, line = '']) => line);
    expect(more.map((line) => line.split(':')[0])).toEqual([
      'select',
      'rich',
      'filter',
      'body',
      'timeZone',
      'immutableIds',
    ]);
    const [user] = wishes[0]?.resource.match(/[0-9a-f-]{36}/) ?? [];
    for (const [i, line] of more.entries()) {
      const fields = line.startsWith('rich') ? `${line}, select: [subject]` : line;
      const text = `subscriptions: [{ name: one, resource: 'users/{user}/events', users: [${user}], ${fields} }]`;
      expect(parseWantedSubscriptions(text, `line ${i}`, defaults)).toHaveLength(1);
    }
  });

  it('shows the values that hold where nothing is said', () => {
    const [wish] = wishes;
    const [user] = wish?.resource.match(/[0-9a-f-]{36}/) ?? [];
    const shortest = `subscriptions: [{ name: calendars, resource: 'users/{user}/events', users: [${user}] }]`;
    expect(parseWantedSubscriptions(shortest, 'shortest', defaults)).toEqual([wish]);
  });
});
