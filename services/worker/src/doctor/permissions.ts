/** Which application permissions the wanted subscriptions take, and how those that are granted compare. Pure. */
import { parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import type { People } from '../declaration/declared-entry.ts';
import { kindOfWatched } from '../resources/find-kind.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';

export type NeededPermissions = {
  /** Permission → the kinds that it is for. */
  readonly needed: ReadonlyMap<string, ReadonlySet<string>>;
  /** Kinds for which Graph names no permission that an app could have. */
  readonly without: readonly string[];
};

export type WantedInTenant = {
  readonly wishes: readonly Pick<Wish, 'resource'>[];
  /** Of whom the wishes are. */
  readonly people: readonly People[];
};

export function neededPermissions({ wishes, people }: WantedInTenant): NeededPermissions {
  const needed = new Map<string, Set<string>>();
  for (const one of people) {
    const permission = permissionToFind(one);
    if (permission !== undefined) needed.set(permission, new Set(['people of subscriptions.yaml']));
  }
  const without = new Set<string>();
  for (const { resource } of wishes) {
    const parsed = parseResourcePath(resource);
    const kind = parsed.ok ? kindOfWatched(parsed.path) : undefined;
    if (!parsed.ok || !kind) continue;
    const permission = permissionFor(kind, parsed.path);
    if (permission === undefined) without.add(kind.name);
    else needed.set(permission, (needed.get(permission) ?? new Set()).add(kind.name));
  }
  return { needed, without: [...without] };
}

/** The least that finds them (Graph: api/user-list, api/group-list-transitivemembers); ids in the file take none. */
function permissionToFind(people: People): string | undefined {
  switch (people.kind) {
    case 'users':
      return people.names.length > 0 ? 'User.ReadBasic.All' : undefined;
    case 'group':
      return 'GroupMember.Read.All';
    case 'filter':
    case 'all':
      return 'User.Read.All';
  }
}

/** A kind that lives in several places has a permission for each: `Chat.…`, `Channel….…`, `Team….…`. */
function permissionFor({ permissions }: ResourceKind, path: ResourcePath): string | undefined {
  const words = path.map(({ word }) => word.toLowerCase());
  const places = words.includes('channels')
    ? ['Channel', 'Team']
    : words[0] === 'teams'
      ? ['Team', 'Channel']
      : ['Chat'];
  const ofPlace = places.map((place) => permissions.find((each) => each.startsWith(place)));
  return ofPlace.find((each) => each !== undefined) ?? permissions[0];
}

/** Beside `….ReadWrite….` of the same, these hold it too (Graph: permissions-reference). */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  'User.Read.All': ['Directory.Read.All', 'Directory.ReadWrite.All'],
  'User.ReadBasic.All': [
    'User.Read.All',
    'User.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ],
  'GroupMember.Read.All': [
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ],
  'Group.Read.All': ['Directory.Read.All', 'Directory.ReadWrite.All'],
  'Files.ReadWrite.All': ['Sites.ReadWrite.All'],
  'Sites.ReadWrite.All': ['Sites.Manage.All', 'Sites.FullControl.All'],
  'Chat.ReadBasic.All': ['Chat.Read.All', 'Chat.ReadWrite.All'],
  'ChatMember.Read.All': ['Chat.ReadBasic.All', 'Chat.Read.All', 'Chat.ReadWrite.All'],
  'Channel.ReadBasic.All': ['ChannelSettings.Read.All', 'ChannelSettings.ReadWrite.All'],
  'Team.ReadBasic.All': ['TeamSettings.Read.All', 'TeamSettings.ReadWrite.All'],
};

export type PermissionsCompared = {
  /** `Mail.Read (message)` */
  readonly missing: readonly string[];
  /** Granted, and nothing that is wanted takes them. */
  readonly superfluous: readonly string[];
  /** What is granted in the place of what Graph names, and may do. */
  readonly wider: readonly { readonly held: string; readonly named: string }[];
};

export function comparePermissions(
  { needed }: Pick<NeededPermissions, 'needed'>,
  granted: readonly string[],
): PermissionsCompared {
  const used = new Set<string>();
  const missing: string[] = [];
  const wider: PermissionsCompared['wider'][number][] = [];
  for (const [permission, kinds] of needed) {
    const held = granted.includes(permission)
      ? permission
      : widerOf(permission).find((one) => granted.includes(one));
    if (held === undefined) missing.push(`${permission} (${[...kinds].join(', ')})`);
    else used.add(held);
    // One that something else needs anyway is none too many.
    if (held !== undefined && held !== permission && !needed.has(held))
      wider.push({ held, named: permission });
  }
  return { missing, superfluous: granted.filter((each) => !used.has(each)), wider };
}

function widerOf(permission: string): string[] {
  const writing = permission.replace(/\.Read(?=\.|$)/, '.ReadWrite');
  return [...(writing === permission ? [] : [writing]), ...(WIDER[permission] ?? [])];
}
