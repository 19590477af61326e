/** `subscriptions.yaml`: what the operator wants to be told of, one wish for each resource, and user where there are some. */
import { canonicalResource, isGuid, parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { isWhole } from '../resources/find-kind.ts';
import { preferOf } from '../resources/outlook-preferences.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import {
  type DeclaredTenant,
  declaredTenantSchema,
  findTenantProblems,
} from '../tenants/declared-tenants.ts';
import { renderTopic } from './topic-template.ts';
import { filterKey, selectKey } from './watched-resource.ts';
import { ANY_USER, judgeWanted, longestLifeMinutes, SHORTEST_LIFE_MINUTES } from './wish-rules.ts';

/** One subscription that has to exist. */
export type Wish = {
  /** `calendars/{user}`, or the name alone where there are no users; stays the same when Graph's subscription is made anew. */
  readonly key: string;
  readonly tenantId: string;
  /** The path that is watched: `users/{id}/events`. */
  readonly resource: string;
  /** Only these of its changes: `isRead eq false`, not percent-encoded. */
  readonly filter?: string;
  /** As Graph takes it: `created,updated,deleted`. */
  readonly changeType: string;
  readonly topic: string;
  readonly lifeMinutes: number;
  /** No part of a mailbox and no filter: "deleted" means gone. */
  readonly whole: boolean;
  /** Whether notifications carry the resource, encrypted. */
  readonly rich?: boolean;
  /** The properties that records show; absent: all. */
  readonly select?: readonly string[];
  /** Values of the Prefer header of each fetch. */
  readonly prefer?: readonly string[];
  /** Ids that stay when an item is moved. */
  readonly immutableIds?: boolean;
};

/** The file is wrong; each problem names its place. */
export class WantedSubscriptionsError extends Error {
  override readonly name = 'WantedSubscriptionsError';

  constructor(file: string, problems: readonly string[]) {
    super(`${file}:\n  ${problems.join('\n  ')}`);
  }
}

/** 650 users in a filter of presences, which is the most that Graph takes, are 27,000 characters. */
const LONGEST_FILTER = 32_768;

const entrySchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits or -'),
  /** Name of a declared one; absent: the own. */
  tenant: z.string().optional(),
  resource: z.string(),
  users: z
    .array(z.string().refine(isGuid, 'must be the object id of a user (a GUID)'))
    .min(1, 'must name at least one user')
    .optional(),
  changeTypes: z
    .array(z.enum(['created', 'updated', 'deleted'], 'must be created, updated or deleted'))
    .min(1)
    .optional(),
  topic: z.string().optional(),
  lifeMinutes: z.int().min(SHORTEST_LIFE_MINUTES).optional(),
  filter: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(LONGEST_FILTER)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line')
    .regex(/^[^$?]/, 'must be what stands behind $filter=')
    .optional(),
  rich: z.boolean().default(false),
  select: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'must be the name of a property'))
    .min(1, 'must name at least one property')
    .optional(),
  body: z.enum(['text', 'html'], 'must be text or html').optional(),
  timeZone: z.string().optional(),
  immutableIds: z.boolean().optional(),
});

const fileSchema = z.strictObject({
  tenants: z.array(declaredTenantSchema).default([]),
  subscriptions: z.array(entrySchema).min(1, 'must hold at least one subscription'),
});

export type WishDefaults = {
  /** The own tenant, `AZURE_TENANT_ID`. */
  readonly tenantId: string;
  /** Where neither an entry nor its tenant names a topic. */
  readonly topic: string;
  /** `LIFECYCLE_NOTIFICATION_URL`, without which some things may not live long. */
  readonly lifecycleUrl?: string | undefined;
};

export type SubscriptionsFile = {
  /** Beside the own one. */
  readonly tenants: readonly DeclaredTenant[];
  readonly wishes: readonly Wish[];
};

/** What is wanted, whoever's it is; throws as `parseSubscriptionsFile` does. */
export function parseWantedSubscriptions(
  text: string,
  file: string,
  defaults: WishDefaults,
): readonly Wish[] {
  return parseSubscriptionsFile(text, file, defaults).wishes;
}

/** Reads the text of the file; throws a `WantedSubscriptionsError` that names every problem. */
export function parseSubscriptionsFile(
  text: string,
  file: string,
  defaults: WishDefaults,
): SubscriptionsFile {
  const parsed = fileSchema.safeParse(readYaml(text, file));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.') || 'file'}: ${message}`,
    );
    throw new WantedSubscriptionsError(file, problems);
  }
  const { tenants } = parsed.data;
  const read = parsed.data.subscriptions.map((wanted) => readWantedOf(tenants, wanted, defaults));
  const wishes = read.flatMap(({ wishes }) => wishes);
  const problems = [
    ...findTenantProblems(tenants, defaults.tenantId),
    ...read.flatMap(({ problems }) => problems),
    ...findRepetitions(wishes),
  ];
  if (problems.length > 0) throw new WantedSubscriptionsError(file, problems);
  return { tenants, wishes };
}

/** Syntax errors come with their line; what only shows when aliases are followed does not. */
function readYaml(text: string, file: string): unknown {
  const document = parseDocument(text);
  const problems = document.errors.map(({ message }) => message.split('\n')[0] ?? message);
  if (problems.length > 0) throw new WantedSubscriptionsError(file, problems);
  try {
    return document.toJS();
  } catch (error) {
    throw new WantedSubscriptionsError(file, [error instanceof Error ? error.message : 'no YAML']);
  }
}

type Wanted = z.output<typeof entrySchema>;

type ReadEntry = { readonly wishes: readonly Wish[]; readonly problems: readonly string[] };

function readWantedOf(tenants: readonly DeclaredTenant[], wanted: Wanted, defaults: WishDefaults): ReadEntry {
  if (wanted.tenant === undefined) return readWanted(wanted, defaults);
  const tenant = tenants.find(({ name }) => name === wanted.tenant);
  if (!tenant)
    return { wishes: [], problems: [`${wanted.name}.tenant: ${wanted.tenant} is none of tenants`] };
  return readWanted(wanted, { ...defaults, tenantId: tenant.id, topic: tenant.topic ?? defaults.topic });
}

function readWanted(wanted: Wanted, defaults: WishDefaults): ReadEntry {
  const refuse = (problem: string) => ({ wishes: [], problems: [`${wanted.name}.${problem}`] });
  const verdict = judgeWanted(wanted, defaults.lifecycleUrl !== undefined);
  if (!verdict.ok) return refuse(verdict.problem);
  const topic = topicOf(wanted, wanted.users && ANY_USER, defaults);
  if (!topic.ok) return refuse(`topic: ${topic.reason}`);
  const users = wanted.users?.map((user) => user.toLowerCase()) ?? [undefined];
  return { wishes: users.map((user) => toWish(wanted, verdict.kind, user, defaults)), problems: [] };
}

function pathOf(resource: string): ResourcePath {
  const parsed = parseResourcePath(resource);
  return parsed.ok ? parsed.path : [];
}

function resourceFor({ resource }: Wanted, user: string | undefined): string {
  return resource.replace(/^\//, '').replaceAll('{user}', user ?? '');
}

function topicOf(wanted: Wanted, user: string | undefined, { tenantId, topic: byDefault }: WishDefaults) {
  const path = pathOf(resourceFor(wanted, user));
  return renderTopic(wanted.topic ?? byDefault, { tenant: tenantId, user, name: wanted.name, path });
}

function toWish(wanted: Wanted, kind: ResourceKind, user: string | undefined, defaults: WishDefaults): Wish {
  const { name, rich, filter, select, immutableIds } = wanted;
  const resource = resourceFor(wanted, user);
  const topic = topicOf(wanted, user, defaults);
  const prefer = preferOf(wanted);
  return {
    key: user === undefined ? name : `${name}/${user}`,
    tenantId: defaults.tenantId,
    resource,
    ...(filter !== undefined && { filter }),
    changeType: [...new Set(wanted.changeTypes ?? kind.changeTypes)].join(','),
    // What does not depend on who the user is was looked at before.
    topic: topic.ok ? topic.topic : defaults.topic,
    lifeMinutes: wanted.lifeMinutes ?? longestLifeMinutes(kind, rich),
    whole: filter === undefined && isWhole(pathOf(resource)),
    ...(rich && { rich }),
    ...(select && { select: [...new Set(select)] }),
    ...(prefer.length > 0 && { prefer }),
    ...(immutableIds && { immutableIds }),
  };
}

/** Graph gives an app one subscription for a resource and its changes; a second wish for them could not be served. */
function findRepetitions(wishes: readonly Wish[]): string[] {
  const problems = new Set<string>();
  const byKey = new Set<string>();
  const byWhat = new Map<string, Wish>();
  for (const wish of wishes) {
    const what = whatOf(wish);
    const same = byWhat.get(what);
    if (byKey.has(wish.key)) problems.add(`${wish.key} is wanted twice`);
    else if (same)
      problems.add(
        `${wish.key} wants the same changes as ${same.key}: Graph makes one subscription for both`,
      );
    byKey.add(wish.key);
    byWhat.set(what, wish);
  }
  return [...problems];
}

function whatOf({ tenantId, resource, filter, rich, select, changeType }: Wish): string {
  const selected = rich ? selectKey(select) : '';
  const changes = changeType.split(',').sort().join();
  return JSON.stringify([tenantId, canonicalOf(resource), filterKey(filter), selected, changes]);
}

/** Whether two texts name the same resource, however they spell it. */
export function sameResource(a: string, b: string): boolean {
  return canonicalOf(a) === canonicalOf(b);
}

/** One that is no path stands for itself. */
function canonicalOf(resource: string): string {
  const parsed = parseResourcePath(resource);
  return parsed.ok ? canonicalResource(parsed.path) : resource;
}
