/** `subscriptions.yaml`: what the operator wants to be told of. Reads its text; asks nobody. Pure. */
import { isGuid, parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { isWhole } from '../resources/find-kind.ts';
import { preferOf } from '../resources/outlook-preferences.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { type DeclaredTenant, findTenantProblems } from '../tenants/declared-tenants.ts';
import { type Problem, WantedSubscriptionsError } from './declaration-error.ts';
import { declarationSchema, type Wanted } from './declaration-schema.ts';
import { type DeclaredEntry, idsInFile, type People, wishesInFile } from './declared-entry.ts';
import { explainIssues, fieldName } from './explain-issue.ts';
import { findRepetitions } from './repetitions.ts';
import { renderTopic } from './topic-template.ts';
import { ANY_USER, judgeWanted, longestLifeMinutes } from './wish-rules.ts';
import { readYaml, type YamlPath, type YamlText } from './yaml-places.ts';

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
  readonly entries: readonly DeclaredEntry[];
  /**
   * What is wanted as far as the file says it, and for each entry whose people Graph knows, one wish of nobody: for
   * whatever goes by kinds, topics and permissions. Who is to be subscribed, a `WishSource` says.
   */
  readonly samples: readonly Wish[];
};

export type WantedByFile = Pick<SubscriptionsFile, 'entries' | 'samples'>;

/** Where there is no file. */
export const nothingWanted: SubscriptionsFile = { tenants: [], entries: [], samples: [] };

/** What a mistake is in, as the schema's paths name it, and the words for it. */
export type FoundAt = { readonly path: YamlPath; readonly reason: string };

/** Reads the text of the file; throws a `WantedSubscriptionsError` that names every problem with its line. */
export function parseSubscriptionsFile(
  text: string,
  file: string,
  defaults: WishDefaults,
): SubscriptionsFile {
  const read = readYaml(text);
  if (!read.ok) throw new WantedSubscriptionsError(file, read.problems);
  const { yaml } = read;
  const parsed = declarationSchema.safeParse(yaml.value);
  if (!parsed.success) throw new WantedSubscriptionsError(file, explainIssues(parsed.error.issues, yaml));
  const { tenants, subscriptions } = parsed.data;
  const judged = subscriptions.map((wanted) => judgeEntry(tenants, wanted, defaults));
  const entries = judged.flatMap(({ entry }) => entry ?? []);
  const found = [
    ...findTenantProblems(tenants, defaults.tenantId),
    ...judged.flatMap(({ problem }, i) =>
      problem ? [{ ...problem, path: ['subscriptions', i, ...problem.path] }] : [],
    ),
    ...findRepetitions(judged.map(({ entry }) => entry)),
  ];
  if (found.length > 0)
    throw new WantedSubscriptionsError(
      file,
      found.map((one) => toProblem(yaml, one)),
    );
  return { tenants, entries, samples: entries.flatMap(samplesOf) };
}

/** The samples alone. */
export function parseWantedSubscriptions(
  text: string,
  file: string,
  defaults: WishDefaults,
): readonly Wish[] {
  return parseSubscriptionsFile(text, file, defaults).samples;
}

function samplesOf(entry: DeclaredEntry): readonly Wish[] {
  return entry.people && !idsInFile(entry) ? [entry.pattern] : wishesInFile(entry);
}

function toProblem(yaml: YamlText, { path, reason }: FoundAt): Problem {
  return { place: yaml.placeOf(path), text: `${fieldName(yaml, path)}: ${reason}` };
}

type Judged = { readonly entry?: DeclaredEntry; readonly problem?: FoundAt };

function judgeEntry(tenants: readonly DeclaredTenant[], wanted: Wanted, defaults: WishDefaults): Judged {
  if (wanted.tenant === undefined) return judgeOwn(wanted, defaults);
  const tenant = tenants.find(({ name }) => name === wanted.tenant);
  if (!tenant) return refuse('tenant', `${wanted.tenant} is none of tenants`);
  return judgeOwn(wanted, { ...defaults, tenantId: tenant.id, topic: tenant.topic ?? defaults.topic });
}

function judgeOwn(wanted: Wanted, defaults: WishDefaults): Judged {
  const verdict = judgeWanted(wanted, defaults.lifecycleUrl !== undefined);
  if (!verdict.ok) return refuse(verdict.field, verdict.reason);
  const people = peopleOf(wanted);
  const topic = topicOf(wanted, people, defaults);
  if (!topic.ok) return refuse('topic', topic.reason);
  const { name } = wanted;
  const { tenantId } = defaults;
  const pattern = patternOf(wanted, verdict.kind, tenantId, topic.topic);
  return { entry: { name, tenantId, ...(people && { people }), pattern } };
}

function refuse(field: string, reason: string): Judged {
  return { problem: { path: [field], reason } };
}

function peopleOf({ users, group }: Wanted): People | undefined {
  if (group !== undefined) return { kind: 'group', group };
  if (users === undefined) return undefined;
  if (users === 'all') return { kind: 'all' };
  if (!Array.isArray(users)) return { kind: 'filter', filter: users.filter };
  return { kind: 'users', ids: users.filter(isGuid), names: users.filter((user) => !isGuid(user)) };
}

/** Of anybody: `{user}` becomes `ANY_USER`. */
function resourceOf({ resource }: Wanted): string {
  return resource.replace(/^\//, '').replaceAll('{user}', ANY_USER);
}

function pathOf(resource: string): ResourcePath {
  const parsed = parseResourcePath(resource);
  return parsed.ok ? parsed.path : [];
}

function topicOf(wanted: Wanted, people: People | undefined, { tenantId, topic: byDefault }: WishDefaults) {
  const template = wanted.topic ?? byDefault;
  const isKnown = people?.kind === 'users' && people.names.length === 0;
  if (people && !isKnown && template.includes('{user}')) {
    const reason =
      '{user} needs users as a list of object ids, since topics are made before Graph is asked for people';
    return { ok: false, reason } as const;
  }
  const user = people && ANY_USER;
  return renderTopic(template, {
    tenant: tenantId,
    user,
    name: wanted.name,
    path: pathOf(resourceOf(wanted)),
  });
}

function patternOf(wanted: Wanted, kind: ResourceKind, tenantId: string, topic: string): Wish {
  const { name, rich, fetch, filter, select, immutableIds } = wanted;
  const resource = resourceOf(wanted);
  const prefer = preferOf(wanted);
  return {
    key: name,
    tenantId,
    resource,
    ...(filter !== undefined && { filter }),
    changeType: [...new Set(wanted.changeTypes ?? kind.changeTypes)].join(','),
    topic,
    lifeMinutes: wanted.lifeMinutes ?? longestLifeMinutes(kind, rich),
    whole: filter === undefined && isWhole(pathOf(resource)),
    ...(rich && { rich }),
    ...(select && { select: [...new Set(select)] }),
    ...(prefer.length > 0 && { prefer }),
    ...(!fetch && { notificationOnly: true }),
    ...(immutableIds && { immutableIds }),
  };
}
