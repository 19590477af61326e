// The tenants of one simulator: each with users, resources, delta tokens and a life of its own.
import type { Calendar } from './calendar.ts';
import { CalendarLife } from './calendar-life.ts';
import type { DeltaApi } from './delta-api.ts';
import type { DirectoryObjects } from './directory-objects.ts';
import type { JsonObject } from './graph-exchange.ts';
import type { Items } from './items.ts';
import type { ResourceChange, ResourceStore, StoredResource } from './resource-store.ts';
import { seedUser } from './seed.ts';
import { seededRandom } from './seeded-random.ts';
import { createTenantData, type TenantData, type TenantDataDeps } from './tenant-data.ts';
import type { DirectoryUser } from './user-directory.ts';

export interface SimulatedTenant {
  readonly tenantId: string;
  /** All resources, by path. Its create, update and remove notify; seed does not. */
  readonly resources: ResourceStore;
  /** Writes events into the users' calendars, as POST, PATCH and DELETE do. */
  readonly calendar: Calendar;
  /** Makes, alters, moves and removes items of every kind, with ids and bodies of Graph's form; notifies. */
  readonly items: Items;
  /** Soft deletion, restoring and membership of users and groups; notifies. */
  readonly directoryObjects: DirectoryObjects;
  /** Lets the tokens of delta queries expire. */
  readonly delta: Pick<DeltaApi, 'expireTokens'>;
  readonly life: CalendarLife;
  users(): DirectoryUser[];
  /** Makes users until there are so many, and gives the first so many. */
  seedUsers(count: number | undefined): readonly DirectoryUser[];
  /** Puts any resource under its path ("chats/{id}/messages/{id}") as if it had always been there. */
  seed(path: string, body: JsonObject): StoredResource;
}

/** What the parts of the simulator know of a tenant beside what a test does. */
export interface HeldTenant extends SimulatedTenant {
  readonly data: TenantData;
}

export interface TenantsDeps extends Omit<TenantDataDeps, 'onChange'> {
  readonly onChange: (tenant: HeldTenant, change: ResourceChange) => void;
}

/** Between the seeds of two tenants; the parts of one tenant use the numbers next to its own. */
const SEED_STEP = 1_000;

/** The first tenant's people are those of a simulator with one tenant; every other has a domain of its own. */
const domainOf = (index: number) => (index === 0 ? 'northwind.example' : `northwind${index + 1}.example`);

function createTenant(deps: TenantsDeps, tenantId: string, index: number): HeldTenant {
  const seed = deps.seed + index * SEED_STEP;
  const instance = index === 0 ? deps.instance : `${deps.instance}/${tenantId}`;
  const random = seededRandom(seed);
  const data: TenantData = createTenantData({
    ...deps,
    seed,
    instance,
    onChange: (change) => deps.onChange(tenant, change),
  });
  const { resources, calendar, items, directoryObjects, delta, directory } = data;
  let seeded = 0;
  const seedUsers = (count: number | undefined) => {
    const wanted = count ?? directory.users().length;
    while (seeded < wanted) {
      seeded += 1;
      const body = seedUser(random, seeded, domainOf(index));
      resources.seed(`users/${body.id}`, body);
    }
    return directory.users().slice(0, wanted);
  };
  const monotonicMs = () => performance.now();
  const life = new CalendarLife({
    calendar,
    resources,
    usersFor: seedUsers,
    now: deps.now,
    monotonicMs,
    seed,
  });
  const tenant: HeldTenant = {
    tenantId,
    data,
    resources,
    calendar,
    items,
    directoryObjects,
    delta,
    life,
    users: () => directory.users(),
    seedUsers,
    seed: (path, body) => resources.seed(path, body),
  };
  return tenant;
}

export class Tenants {
  readonly #deps: TenantsDeps;
  readonly #all = new Map<string, HeldTenant>();

  constructor(deps: TenantsDeps) {
    this.#deps = deps;
  }

  all(): HeldTenant[] {
    return [...this.#all.values()];
  }

  find(tenantId: string): HeldTenant | undefined {
    return this.#all.get(tenantId.toLowerCase());
  }

  /** The tenant of that id, without users where it is new. */
  add(tenantId: string): HeldTenant {
    const id = tenantId.toLowerCase();
    const known = this.#all.get(id);
    if (known !== undefined) return known;
    const tenant = createTenant(this.#deps, id, this.#all.size);
    this.#all.set(id, tenant);
    return tenant;
  }
}
