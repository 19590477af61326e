// All that a tenant holds, and the ways to alter and to ask it: one object, made in the order of dependence.
import { type Calendar, createCalendar } from './calendar.ts';
import { createDeltaApi, type DeltaApi } from './delta-api.ts';
import { DeltaJournal } from './delta-journal.ts';
import type { DeltaSettings } from './delta-settings.ts';
import { createDirectoryObjects, type DirectoryObjects } from './directory-objects.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { createItemIds } from './item-ids.ts';
import { createItems, type Items } from './items.ts';
import { createPathResolver } from './path-resolver.ts';
import type { ResourcePath } from './resource-path.ts';
import { type ResourceChange, ResourceStore } from './resource-store.ts';
import { seededRandom } from './seeded-random.ts';
import { UserDirectory } from './user-directory.ts';

export interface TenantDataDeps {
  readonly instance: string;
  readonly seed: number;
  readonly now: () => number;
  readonly idForms: ItemIdForms;
  readonly delta: DeltaSettings;
  /** Told of each change after the tenant's own parts have taken note of it. */
  readonly onChange: (change: ResourceChange) => void;
}

export interface TenantData {
  readonly resources: ResourceStore;
  readonly directory: UserDirectory;
  readonly calendar: Calendar;
  readonly items: Items;
  readonly directoryObjects: DirectoryObjects;
  readonly delta: DeltaApi;
  /** Gives every spelling of a path the ids under which things are kept. */
  readonly resolve: (path: ResourcePath) => ResourcePath;
}

export function createTenantData(deps: TenantDataDeps): TenantData {
  const { now, idForms, seed } = deps;
  const ids = createItemIds(deps.instance, seededRandom(seed + 1));
  const journal = new DeltaJournal();
  const resources = new ResourceStore({
    ids,
    now,
    onChange: (change) => {
      if (change.resource.path.words === 'users') directory.learn(change.resource.body);
      journal.note(change);
      deps.onChange(change);
    },
  });
  const directory = new UserDirectory(resources);
  const resolve = createPathResolver({ resources, directory, idForms });
  const calendar = createCalendar({ resources, directory, ids });
  return {
    resources,
    directory,
    calendar,
    resolve,
    items: createItems({ resources, directory, calendar, ids, idForms, resolve, now }),
    directoryObjects: createDirectoryObjects({ resources, now }),
    delta: createDeltaApi({
      resources,
      journal,
      idForms,
      settings: deps.delta,
      random: seededRandom(seed + 4),
      now,
    }),
  };
}
