/** Which entries dead letters come to. */
import { changeEntry } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { createReplayPlan } from '../../src/cli/replay-plan.ts';
import { readLetter, type StoredLetter } from '../../src/cli/stored-letter.ts';
import type { DeadLetter } from '../../src/records/dead-letter-record.ts';
import { letter, RECEIVED_AT, recordOfLetter } from '../support/dead-letters.ts';
import { EVENT, TENANT, USER } from '../support/taken-entry.ts';

function storedLetter(more: Partial<DeadLetter> = {}): StoredLetter {
  const { headers = {}, value, key = '' } = recordOfLetter(letter(more));
  const read = readLetter({
    partition: 0,
    offset: 0,
    timestamp: 0,
    key,
    headers,
    value: Buffer.from(value ?? ''),
  });
  if (read.is !== 'letter') throw new Error(`not a letter: ${JSON.stringify(read)}`);
  return read.letter;
}

function planOf(letters: readonly StoredLetter[]) {
  const plan = createReplayPlan();
  for (const each of letters) plan.add(each);
  return { entries: plan.entries(), refused: [...plan.refused()] };
}

describe('a replay plan', () => {
  it('has what the receiver would store had Graph just said that the resource changed', () => {
    const { entries } = planOf([storedLetter()]);
    const item = {
      subscriptionId: 'subscription-1',
      tenantId: TENANT,
      changeType: 'updated' as const,
      resource: EVENT,
      id: undefined,
      resourceData: undefined,
    };
    expect(entries).toEqual([{ entry: changeEntry(item, undefined, RECEIVED_AT), letters: 1 }]);
    expect(entries[0]?.entry).toMatchObject({ owner: `${TENANT}/users/${USER}`, resource: EVENT });
  });

  it('lets Graph decide where a deletion was notified', () => {
    const notification = { ...letter().notification, changeType: 'deleted' };
    expect(planOf([storedLetter({ notification })]).entries[0]?.entry.news).toMatchObject({
      changeType: 'updated',
    });
  });

  it('keeps the type that the notification named, since the path may not tell it', () => {
    const resource = `users/${USER}/todo/lists/l/tasks/t`;
    const notification = { resource, odataType: '#Microsoft.Graph.todoTask' };
    expect(planOf([storedLetter({ resource, notification })]).entries[0]?.entry.news).toMatchObject({
      odataType: '#Microsoft.Graph.todoTask',
    });
  });

  it('has one entry for each resource and subscription, with the first receipt of all its letters', () => {
    const times = [RECEIVED_AT, RECEIVED_AT - 5000, RECEIVED_AT + 5000];
    const letters = times.flatMap((firstReceivedAt) => [
      storedLetter({ firstReceivedAt }),
      storedLetter({ firstReceivedAt, subscriptionId: 'subscription-2' }),
    ]);
    const { entries } = planOf(letters);
    expect(entries.map(({ letters: count, entry }) => [count, entry.receivedAt])).toEqual([
      [3, RECEIVED_AT - 5000],
      [3, RECEIVED_AT - 5000],
    ]);
    expect(planOf(letters.toReversed()).entries).toEqual(entries);
  });

  it.each([
    ['read', 'unreadable/0123456789abcdef', 'its resource is not known'],
    ['resync', 'lifecycle/missed', 'stands for a hole'],
    ['run', 'resync/subscription-1', 'names no resource'],
  ] as const)('refuses what names no resource: stage %s', (stage, resource, why) => {
    const { entries, refused } = planOf([
      storedLetter({ stage, resource }),
      storedLetter({ stage, resource }),
    ]);
    expect(entries).toEqual([]);
    expect(refused).toEqual([[expect.stringContaining(why), 2]]);
  });

  it.each([
    ['a path that leaves Graph', { resource: 'users/../../evil' }, 'resource: not a path'],
    ['an absolute URL', { resource: 'https://evil.example/users/1' }, 'resource: '],
    ['a collection', { resource: `users/${USER}/events` }, 'names a collection'],
    ['a tenant that is no id', { tenantId: 'a/b:c' }, 'tenantId is no id'],
    ['a subscription that is no id', { subscriptionId: 'a b' }, 'subscriptionId is no id'],
  ])('refuses a letter of somebody else with %s', (_name, more, why) => {
    const { entries, refused } = planOf([{ ...storedLetter(), ...more, replayable: true }]);
    expect(entries).toEqual([]);
    expect(refused).toEqual([[expect.stringContaining(why), 1]]);
  });
});
