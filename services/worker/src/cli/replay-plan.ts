/**
 * Dead letters → the entries that have their resources worked again: one for each resource and subscription, however
 * many letters there are, and the same ones each time. Pure.
 */
import { changeEntry, type InboxEntry, parseResourcePath } from '@graph2kafka/shared';
import type { StoredLetter } from './stored-letter.ts';

export type PlannedEntry = {
  readonly entry: InboxEntry;
  /** Dead letters that it stands for. */
  readonly letters: number;
};

export type ReplayPlan = {
  add(letter: StoredLetter): void;
  /** In order of resources, so that two plans of the same letters are equal. */
  entries(): PlannedEntry[];
  /** Why letters cannot be replayed, and how many for each reason. */
  refused(): ReadonlyMap<string, number>;
  /** Letters that were added. */
  readonly letters: number;
};

export function createReplayPlan(): ReplayPlan {
  const planned = new Map<string, PlannedEntry>();
  const refused = new Map<string, number>();
  let letters = 0;
  return {
    add(letter) {
      letters++;
      const made = entryOf(letter);
      if ('refusal' in made) {
        refused.set(made.refusal, (refused.get(made.refusal) ?? 0) + 1);
        return;
      }
      const { tenantId, resource, subscriptionId } = letter;
      const name = JSON.stringify([tenantId, resource, subscriptionId]);
      planned.set(name, join(planned.get(name), made.entry));
    },
    entries: () =>
      [...planned.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry),
    refused: () => refused,
    get letters() {
      return letters;
    },
  };
}

/** The first receipt counts: it is part of the id of a record without a version. */
function join(known: PlannedEntry | undefined, entry: InboxEntry): PlannedEntry {
  if (!known) return { entry, letters: 1 };
  const earliest = entry.receivedAt < known.entry.receivedAt ? entry : known.entry;
  return { entry: earliest, letters: known.letters + 1 };
}

/**
 * As if Graph had said that it changed: then Graph's state decides, also where a deletion was notified, since it may
 * have been restored by now.
 */
function entryOf(letter: StoredLetter): { entry: InboxEntry } | { refusal: string } {
  if (!letter.replayable) return { refusal: REFUSALS[letter.stage] ?? 'names no resource' };
  const { tenantId, subscriptionId, resource, receivedAt, notification } = letter;
  const odataType = notification?.odataType;
  const entry = changeEntry(
    {
      subscriptionId,
      tenantId,
      changeType: 'updated',
      resource,
      id: notification?.notificationId,
      resourceData:
        odataType === undefined
          ? undefined
          : { '@odata.type': odataType, '@odata.etag': undefined, '@odata.id': undefined, id: undefined },
    },
    undefined,
    receivedAt,
  );
  // The topic may hold records of others: what the receiver would not take, is not taken here.
  if (entry.news.kind === 'unreadable') return { refusal: `is not as documented: ${entry.news.reason}` };
  if (!namesOne(resource)) return { refusal: 'names a collection instead of a resource' };
  return { entry };
}

function namesOne(resource: string): boolean {
  const parsed = parseResourcePath(resource);
  return parsed.ok && parsed.path.at(-1)?.id !== undefined;
}

const REFUSALS: Readonly<Record<string, string>> = {
  read: 'was not understood when it came, so its resource is not known',
  resync: 'stands for a hole, and which resources are in it is not known',
};
