// Views lead to where items are kept: a folder's messages are the mailbox's messages, narrowed to the folder.
import { type PathSegment, type ResourcePath, resourcePath } from './resource-path.ts';

/** Where the item or the list is kept, and the folder that narrows a list. */
export interface ViewTarget {
  readonly path: ResourcePath;
  readonly folderId: string | undefined;
}

const VIEW_WORDS = new Set(['mailfolders', 'childfolders', 'calendars', 'contactfolders']);

/** Child folders are folders of the mailbox: "mailFolders/{f}/childFolders/{g}" → "mailFolders/{g}" in f. */
function withoutParents(user: PathSegment, rest: readonly PathSegment[]): PathSegment[] {
  const folderWord = rest[0]?.word ?? '';
  return [
    user,
    ...rest.slice(1).map((one) => (one.word === 'childfolders' ? { ...one, word: folderWord } : one)),
  ];
}

/** "users/{id}/mailFolders/{f}/messages/{m}" → "users/{id}/messages/{m}" in folder f; others stay as they are. */
export function viewTarget(path: ResourcePath): ViewTarget {
  const [user, ...rest] = path.segments;
  const view = rest[0];
  if (user === undefined || view === undefined || rest.length < 2 || !VIEW_WORDS.has(view.word)) {
    return { path, folderId: undefined };
  }
  const [, ...inner] = withoutParents(user, rest);
  const depth = inner.findIndex(({ word }) => word !== view.word);
  const kept = depth < 0 ? inner.slice(-1) : inner.slice(depth);
  const parents = [view, ...inner.slice(0, inner.length - kept.length)];
  return { path: resourcePath([user, ...kept], path.operation), folderId: parents.at(-1)?.id };
}

/** "mailFolders/{f}/childFolders/{g}/messages" → "mailFolders/{g}/messages", since a folder has one id wherever it is. */
export function withoutOuterFolders(path: ResourcePath): ResourcePath {
  const [user, ...rest] = path.segments;
  const innermost = rest.findLastIndex(({ word, id }) => word === 'childfolders' && id !== undefined);
  const folder = rest[innermost];
  if (user === undefined || folder === undefined || rest[0] === undefined) return path;
  const kept = [{ ...folder, word: rest[0].word }, ...rest.slice(innermost + 1)];
  return resourcePath([user, ...kept], path.operation);
}
