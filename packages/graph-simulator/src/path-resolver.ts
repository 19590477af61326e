// Brings the path of a call to the ids under which things are kept: users by id, items by ordinary id, folders by name.
import { withDefaultCalendar } from './calendars.ts';
import { newDrive } from './drive-root.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { canonicalFolderId } from './mail-folders.ts';
import { withoutOuterFolders } from './mailbox-views.ts';
import { type PathSegment, type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceStore } from './resource-store.ts';
import type { UserDirectory } from './user-directory.ts';
import { type WordTable, wordTable } from './word-table.ts';

export interface PathResolverDeps {
  readonly resources: ResourceStore;
  readonly directory: UserDirectory;
  readonly idForms: ItemIdForms;
}

const ITEM_WORDS = new Set(['events', 'messages', 'contacts']);
const DRIVE_OWNERS: WordTable<'user' | 'group' | 'site'> = wordTable({
  users: 'user',
  groups: 'group',
  sites: 'site',
});

/** The drive whose body names the user, group or site as its owner ("owner": {"user": {"id"}}). */
function namedDriveOf(resources: ResourceStore, owner: PathSegment): string | undefined {
  const facet = DRIVE_OWNERS.get(owner.word);
  if (facet === undefined) return undefined;
  const drive = resources.list('drives').find(({ body }) => {
    const named = body.owner as Record<string, { id?: string } | undefined> | undefined;
    return named?.[facet]?.id === owner.id;
  });
  return drive?.path.segments.at(-1)?.id;
}

/** As OneDrive does, a user or group that has no drive gets one when it is first asked for. */
function driveOf(resources: ResourceStore, owner: PathSegment): string | undefined {
  const named = namedDriveOf(resources, owner);
  const facet = DRIVE_OWNERS.get(owner.word);
  const person = resources.get(resourcePath([owner]));
  if (named !== undefined || facet === undefined || facet === 'site' || person === undefined) return named;
  const { id, body } = newDrive(facet, person.body);
  resources.seed(resourcePath([{ word: 'drives', id }]), body);
  return id;
}

function ofDrive({ resources }: PathResolverDeps, path: ResourcePath): ResourcePath {
  const [owner, drive, ...rest] = path.segments;
  if (owner?.id === undefined || drive?.word !== 'drive') return path;
  const id = driveOf(resources, owner);
  return id === undefined ? path : resourcePath([{ word: 'drives', id }, ...rest], path.operation);
}

function ofMailbox({ idForms }: PathResolverDeps, path: ResourcePath): ResourcePath {
  const [user, ...rest] = path.segments;
  const userId = user?.id;
  if (user?.word !== 'users' || userId === undefined || rest.every(({ id }) => id === undefined)) return path;
  const segments = rest.map(({ word, id }): PathSegment => {
    if (id === undefined) return { word };
    if (ITEM_WORDS.has(word)) return { word, id: idForms.toOrdinary(userId, id) };
    return { word, id: canonicalFolderId(userId, word, id) };
  });
  return resourcePath([user, ...segments], path.operation);
}

/** A function that gives every spelling of a path the same key; what it does not know stays. */
export function createPathResolver(deps: PathResolverDeps): (path: ResourcePath) => ResourcePath {
  return (path) => {
    const ofOwner = withDefaultCalendar(deps.directory.resolve(path));
    return withoutOuterFolders(ofMailbox(deps, ofDrive(deps, ofOwner)));
  };
}
