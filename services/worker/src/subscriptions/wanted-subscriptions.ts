/** `subscriptions.yaml`: what the operator wants to be told of, one wish per user and resource. */
import { canonicalResource, isGuid, parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { findDataProblem, longestLifeMinutes } from './subscription-kinds.ts';
import { renderTopic } from './topic-template.ts';
import { selectKey } from './watched-resource.ts';

/** One subscription that has to exist. */
export type Wish = {
  /** `calendars/{user}`; stays the same when Graph's subscription is made anew. */
  readonly key: string;
  /** As Graph takes it, but for `$select`: `users/{id}/events`. */
  readonly resource: string;
  /** As Graph takes it: `created,updated,deleted`. */
  readonly changeType: string;
  readonly topic: string;
  readonly lifeMinutes: number;
  /** The whole mailbox without a filter: "deleted" means gone. */
  readonly whole: boolean;
  /** Whether notifications carry the resource, encrypted. */
  readonly rich?: boolean;
  /** The properties that records show; absent: all. */
  readonly select?: readonly string[];
};

/** The file is wrong; each problem names its place. */
export class WantedSubscriptionsError extends Error {
  override readonly name = 'WantedSubscriptionsError';

  constructor(file: string, problems: readonly string[]) {
    super(`${file}:\n  ${problems.join('\n  ')}`);
  }
}

const fileSchema = z.strictObject({
  subscriptions: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits or -'),
        resource: z.string(),
        users: z
          .array(z.string().refine(isGuid, 'must be the object id of a user (a GUID)'))
          .min(1, 'must name at least one user'),
        changeTypes: z
          .array(z.enum(['created', 'updated', 'deleted'], 'must be created, updated or deleted'))
          .min(1)
          .default(['created', 'updated', 'deleted']),
        topic: z.string().optional(),
        // Anything below 45 is raised to 45 by Graph.
        lifeMinutes: z.int().min(45).optional(),
        rich: z.boolean().default(false),
        select: z
          .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'must be the name of a property'))
          .min(1, 'must name at least one property')
          .optional(),
      }),
    )
    .min(1, 'must hold at least one subscription'),
});

export type WishDefaults = {
  readonly tenantId: string;
  /** Where an entry names no topic. */
  readonly topic: string;
};

/** Reads the text of the file; throws a `WantedSubscriptionsError` that names every problem. */
export function parseWantedSubscriptions(text: string, file: string, defaults: WishDefaults): Wish[] {
  const parsed = fileSchema.safeParse(readYaml(text, file));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.') || 'file'}: ${message}`,
    );
    throw new WantedSubscriptionsError(file, problems);
  }
  const { subscriptions } = parsed.data;
  const problemOf = (wanted: Wanted) =>
    findPathProblem(wanted) ?? findKindProblem(wanted) ?? findTopicProblem(wanted, defaults);
  const wishes = subscriptions
    .filter((wanted) => problemOf(wanted) === undefined)
    .flatMap((wanted) => wanted.users.map((user) => toWish(wanted, user.toLowerCase(), defaults)));
  const problems = [
    ...subscriptions.flatMap((wanted) => problemOf(wanted) ?? []),
    ...findRepetitions(wishes),
  ];
  if (problems.length > 0) throw new WantedSubscriptionsError(file, problems);
  return wishes;
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

type Wanted = z.output<typeof fileSchema>['subscriptions'][number];

/** Any GUID stands for the user: what is wrong with the path does not depend on who it is. */
const ANY_USER = '00000000-0000-0000-0000-000000000000';

function findPathProblem({ name, resource }: Wanted): string | undefined {
  if (!resource.includes('{user}')) return `${name}.resource: must hold {user}, as in users/{user}/events`;
  const path = parseResourcePath(resource.replaceAll('{user}', ANY_USER));
  return path.ok ? undefined : `${name}.resource: ${path.reason}`;
}

function findKindProblem(wanted: Wanted): string | undefined {
  const path = pathOf(wanted.resource, ANY_USER);
  const problem = findDataProblem(path, wanted);
  if (problem !== undefined) return `${wanted.name}.${problem}`;
  const longest = longestLifeMinutes(path, wanted);
  return (wanted.lifeMinutes ?? 0) > longest
    ? `${wanted.name}.lifeMinutes: Graph lets it live ${longest} minutes at most`
    : undefined;
}

function pathOf(resource: string, user: string): ResourcePath {
  const parsed = parseResourcePath(resource.replaceAll('{user}', user));
  return parsed.ok ? parsed.path : [];
}

function findTopicProblem(wanted: Wanted, defaults: WishDefaults): string | undefined {
  const rendered = topicOf(wanted, ANY_USER, defaults);
  return rendered.ok ? undefined : `${wanted.name}.topic: ${rendered.reason}`;
}

function topicOf(
  { name, resource, topic }: Wanted,
  user: string,
  { tenantId, topic: byDefault }: WishDefaults,
) {
  const path = pathOf(resource, user);
  return renderTopic(topic ?? byDefault, { tenant: tenantId, user, name, path });
}

/** Graph gives an app one subscription for a resource and its changes; a second wish for them could not be served. */
function findRepetitions(wishes: readonly Wish[]): string[] {
  const problems = new Set<string>();
  const byKey = new Set<string>();
  const byWhat = new Map<string, Wish>();
  for (const wish of wishes) {
    const selected = wish.rich ? selectKey(wish.select) : '';
    const what = `${canonicalOf(wish.resource)} ${selected} ${wish.changeType.split(',').sort().join()}`;
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

function toWish(wanted: Wanted, user: string, defaults: WishDefaults): Wish {
  const resource = wanted.resource.replaceAll('{user}', user);
  const path = pathOf(wanted.resource, user);
  const topic = topicOf(wanted, user, defaults);
  return {
    key: `${wanted.name}/${user}`,
    resource,
    changeType: [...new Set(wanted.changeTypes)].join(','),
    // What does not depend on who the user is was looked at before.
    topic: topic.ok ? topic.topic : defaults.topic,
    lifeMinutes: wanted.lifeMinutes ?? longestLifeMinutes(path, wanted),
    // Two steps, `users/{id}/events`: no folder and, since a path with `?` is refused, no filter.
    whole: path.length === 2,
    ...(wanted.rich && { rich: true }),
    ...(wanted.select && { select: [...new Set(wanted.select)] }),
  };
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
