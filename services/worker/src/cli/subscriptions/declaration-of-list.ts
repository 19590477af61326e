/**
 * Graph's list of subscriptions → a subscriptions.yaml that wants the same, with comments for what cannot be said in it.
 * Pure.
 */
import { isGuid, parseResourcePath, type requestPath } from '@graph2kafka/shared';
import { stringify } from 'yaml';
import { declarationSchema } from '../../declaration/declaration-schema.ts';
import { judgeWanted } from '../../declaration/wish-rules.ts';
import { iso } from '../../listing/times.ts';
import { kindOfWatched } from '../../resources/find-kind.ts';
import { filterKey, readWatched, selectKey } from '../../subscriptions/watched-resource.ts';
import type { DeclaredTenant } from '../../tenants/declared-tenants.ts';
import { plainText } from '../plain-text.ts';

export type ExportedSubscription = {
  readonly id: string;
  readonly resource: string;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly rich: boolean;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Whether its clientState is one of ours. */
  readonly isOurs: boolean;
};

export type ExportedTenant = {
  /** As `tenants` declares it; absent: the one of AZURE_TENANT_ID. */
  readonly declared?: DeclaredTenant;
  readonly subscriptions: readonly ExportedSubscription[];
};

export type Exported = {
  readonly text: string;
  readonly entries: number;
  /** Subscriptions that stand for the entries. */
  readonly said: number;
  /** Those that stand in comments alone. */
  readonly unsaid: number;
};

export type ExportMarks = {
  readonly notificationUrl: string | undefined;
  readonly hasLifecycleUrl: boolean;
};

type Entry = {
  readonly tenant: string | undefined;
  /** With `{user}`. */
  readonly resource: string;
  readonly changeTypes: readonly string[];
  readonly filter?: string;
  readonly rich?: true;
  readonly select?: readonly string[];
  readonly kind: string;
};

type Read = { readonly entry: Entry; readonly user?: string } | { readonly problem: string };

export function declarationOfList(tenants: readonly ExportedTenant[], marks: ExportMarks): Exported {
  const grouped = new Map<string, { entry: Entry; users: string[]; elsewhere: Set<string> }>();
  const wanted = new Map<string, string>();
  const unsaid: string[] = [];
  let said = 0;
  for (const { declared, subscriptions } of tenants) {
    for (const one of subscriptions) {
      const read = unlessWanted(readOne(one, declared?.name, marks.hasLifecycleUrl), wanted);
      if ('problem' in read) {
        unsaid.push(`${one.id} on ${one.resource}, until ${iso(one.expiresAt)}: ${read.problem}`);
        continue;
      }
      said++;
      const key = JSON.stringify(read.entry);
      const group = grouped.get(key) ?? { entry: read.entry, users: [], elsewhere: new Set() };
      grouped.set(key, group);
      if (read.user !== undefined && !group.users.includes(read.user)) group.users.push(read.user);
      const where = whereElse(one, marks);
      if (where !== undefined) group.elsewhere.add(where);
    }
  }
  const text = textOf([...grouped.values()], tenants, unsaid);
  return { text, entries: grouped.size, said, unsaid: unsaid.length };
}

/** The file takes two for the same that differ in less than Graph goes by. */
function unlessWanted(read: Read, wanted: Map<string, string>): Read {
  if ('problem' in read) return read;
  const { tenant, resource, filter, changeTypes, select = [] } = read.entry;
  const what = JSON.stringify([tenant, resource, filter, changeTypes, selectKey(select), read.user]);
  const entry = JSON.stringify(read.entry);
  if ((wanted.get(what) ?? entry) !== entry) return { problem: 'an entry wants these changes already' };
  wanted.set(what, entry);
  return read;
}

function readOne(one: ExportedSubscription, tenant: string | undefined, hasLifecycleUrl: boolean): Read {
  const { resource, filter, select } = readWatched(one.resource);
  const parsed = parseResourcePath(resource);
  if (!parsed.ok) return { problem: parsed.reason };
  const [owner, ...below] = parsed.path;
  const hasUser = owner?.word === 'users' && owner.id !== undefined;
  const path = hasUser ? ['users/{user}', ...partsOf(below)].join('/') : partsOf(parsed.path).join('/');
  const user = hasUser ? owner.id : undefined;
  if (user !== undefined && !isGuid(user) && !user.includes('@'))
    return { problem: `whom ${user} means is not said` };
  const wanted = {
    resource: path,
    changeTypes: changeTypesOf(one.changeType),
    ...(filter !== undefined && { filter: filterKey(filter) }),
    // Of others Graph is told nothing: they carry no data.
    ...(one.rich && { rich: true as const, ...(select && { select: [...select].sort() }) }),
  };
  const problem = findProblem({ ...wanted, ...(user && { users: [user] }) }, hasLifecycleUrl);
  if (problem !== undefined) return { problem };
  const kind = kindOfWatched(parsed.path)?.name ?? 'subscription';
  return { entry: { tenant, ...wanted, kind }, ...(user !== undefined && { user: user.toLowerCase() }) };
}

/** Sorted, so that one order stands for all. */
function changeTypesOf(changeType: string): string[] {
  return [
    ...new Set(
      changeType
        .toLowerCase()
        .split(',')
        .map((type) => type.trim()),
    ),
  ].sort();
}

/** What a reader of the file would refuse. */
function findProblem(
  wanted: Omit<Parameters<typeof judgeWanted>[0], 'rich'> & { readonly rich?: true },
  hasLifecycleUrl: boolean,
): string | undefined {
  const parsed = declarationSchema.safeParse({ subscriptions: [{ name: 'any', ...wanted }] });
  const issue = parsed.error?.issues[0];
  if (issue) return `${issue.path.slice(2).join('.')}: ${issue.message}`;
  const verdict = judgeWanted({ ...wanted, rich: wanted.rich === true }, hasLifecycleUrl);
  return verdict.ok ? undefined : `${verdict.field}: ${verdict.reason}`;
}

function partsOf(path: Parameters<typeof requestPath>[0]): string[] {
  return path.flatMap(({ word, id }) => (id === undefined ? [word] : [word, id]));
}

/** What such a one keeps ours from being made. */
function whereElse(
  { isOurs, notificationUrl }: ExportedSubscription,
  marks: ExportMarks,
): string | undefined {
  const isHere = notificationUrl === marks.notificationUrl;
  if (isHere && isOurs) return undefined;
  if (!isHere) return `notifies ${URL.parse(notificationUrl)?.host ?? 'another address'}`;
  return 'has a clientState that is not ours';
}

type Group = {
  readonly entry: Entry;
  readonly users: readonly string[];
  readonly elsewhere: ReadonlySet<string>;
};

function textOf(
  groups: readonly Group[],
  tenants: readonly ExportedTenant[],
  unsaid: readonly string[],
): string {
  const declared = tenants.flatMap((tenant) => tenant.declared ?? []);
  const names = namesOf(groups);
  const head = [
    'Made from the subscriptions that the app has at Graph. Graph does not tell how long they were to live, whether ids',
    'are immutable, nor how bodies and times were wanted: add lifeMinutes, immutableIds, body and timeZone where you need them.',
  ];
  const entries = groups.flatMap(({ entry, users, elsewhere }, i) => [
    ...[...elsewhere].map(
      (where) => `  # One of these ${where}: Graph refuses ours until it is deleted or has ended.`,
    ),
    ...indented(stringify([fieldsOf(entry, users, names[i] ?? '')], { lineWidth: 0 })),
  ]);
  return [
    ...comments(head),
    ...(declared.length > 0 ? stringify({ tenants: declared }, { lineWidth: 0 }).trimEnd().split('\n') : []),
    ...(groups.length > 0 ? ['subscriptions:', ...entries] : []),
    ...(unsaid.length > 0
      ? comments(['', 'These cannot be said here:', ...unsaid.map((line) => `  ${line}`)])
      : []),
  ].join('\n');
}

function fieldsOf({ tenant, kind: _kind, ...fields }: Entry, users: readonly string[], name: string) {
  const { resource, ...others } = fields;
  return {
    name,
    ...(tenant !== undefined && { tenant }),
    resource,
    ...(users.length > 0 && { users: users.toSorted() }),
    ...others,
  };
}

const LONGEST_NAME = 40;

/** `events`, `events-2` … */
function namesOf(groups: readonly Group[]): string[] {
  const counts = new Map<string, number>();
  return groups.map(({ entry }) => {
    const plain = entry.resource.split('/').at(-1) ?? entry.kind;
    const isWord = /^[A-Za-z]+$/.test(plain);
    const base = (isWord ? plain : entry.kind)
      .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replace(/^-+/, '')
      .slice(0, LONGEST_NAME - 5);
    const nth = (counts.get(base) ?? 0) + 1;
    counts.set(base, nth);
    return nth === 1 ? base : `${base}-${nth}`;
  });
}

function indented(yaml: string): string[] {
  return yaml
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);
}

/** Nothing of Graph's may end the line and become a field. */
function comments(lines: readonly string[]): string[] {
  return lines.map((line) => `# ${plainText(line)}`.trimEnd());
}
