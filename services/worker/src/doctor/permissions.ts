/** Which application permissions the wanted subscriptions take, and how those that are granted compare. Pure. */
import { parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { kindOfWatched } from '../resources/find-kind.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';

export type NeededPermissions = {
  /** Permission → the kinds that it is for. */
  readonly needed: ReadonlyMap<string, ReadonlySet<string>>;
  /** Kinds for which Graph names no permission that an app could have. */
  readonly without: readonly string[];
};

type Wanted = Pick<Wish, 'resource'>;

export function neededPermissions(wishes: readonly Wanted[]): NeededPermissions {
  const needed = new Map<string, Set<string>>();
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
  'Group.Read.All': ['Directory.Read.All', 'Directory.ReadWrite.All'],
  'Files.Read.All': ['Sites.Read.All', 'Sites.ReadWrite.All'],
  'Sites.Read.All': ['Sites.Manage.All', 'Sites.FullControl.All'],
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
  /** `Mail.ReadWrite, where Mail.Read is enough` */
  readonly wider: readonly string[];
};

export function comparePermissions(
  { needed }: Pick<NeededPermissions, 'needed'>,
  granted: readonly string[],
): PermissionsCompared {
  const used = new Set<string>();
  const missing: string[] = [];
  const wider: string[] = [];
  for (const [permission, kinds] of needed) {
    const held = granted.includes(permission)
      ? permission
      : widerOf(permission).find((one) => granted.includes(one));
    if (held === undefined) missing.push(`${permission} (${[...kinds].join(', ')})`);
    else used.add(held);
    if (held !== undefined && held !== permission) wider.push(`${held}, where ${permission} is enough`);
  }
  return { missing, superfluous: granted.filter((each) => !used.has(each)), wider };
}

function widerOf(permission: string): string[] {
  const writing = permission.replace(/\.Read(?=\.|$)/, '.ReadWrite');
  return [...(writing === permission ? [] : [writing]), ...(WIDER[permission] ?? [])];
}
