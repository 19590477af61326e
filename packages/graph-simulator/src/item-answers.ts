// How items and lists look in an answer: preferences, selection, ids, context; and the 404 of each kind.
import { type GraphAnswer, GraphError, type GraphRequest, type JsonObject } from './graph-exchange.ts';
import { hasImmutableId, type ItemIdForms } from './item-id-forms.ts';
import { folderWordOf, shownFolderId } from './mail-folders.ts';
import { selectProperties } from './paging.ts';
import {
  appliedHeader,
  type Preferences,
  preferText,
  preferTimeZone,
  readPreferences,
} from './preferences.ts';
import { kindOf } from './resource-kinds.ts';
import type { ResourcePath } from './resource-path.ts';
import type { StoredResource } from './resource-store.ts';

/** Folders are shown by their opaque ids, though they are kept under their well-known names. */
function showFolder({ path, body }: StoredResource): JsonObject {
  const word = folderWordOf(path.words);
  const { parentFolderId } = body;
  if (word === undefined || typeof parentFolderId !== 'string') return body;
  return { ...body, parentFolderId: shownFolderId(path.segments[0]?.id ?? '', word, parentFolderId) };
}

/** The body as the caller prefers it, with all its properties. */
export function showItem(stored: StoredResource, preferences: Preferences, idForms: ItemIdForms): JsonObject {
  const shown = preferTimeZone(preferText(showFolder(stored), preferences), preferences);
  const id = stored.path.segments.at(-1)?.id;
  if (!preferences.immutableIds || id === undefined || !hasImmutableId(stored.path)) return shown;
  return { ...shown, id: idForms.toImmutable(id) };
}

/** "users('{id}')/events/$entity": the tail of @odata.context. */
export function contextUrl(request: GraphRequest, path: ResourcePath, entity: boolean): string {
  const spelling = kindOf(path)?.spelling ?? [];
  const parts = path.segments.map(({ word, id }, i) => {
    const name = (spelling[i] ?? word).replace(/^./, (first) => first.toLowerCase());
    const isLast = i === path.segments.length - 1;
    return id === undefined || isLast ? name : `${name}('${encodeURIComponent(id)}')`;
  });
  return `${request.origin}/v1.0/$metadata#${parts.join('/')}${entity ? '/$entity' : ''}`;
}

export function answerItem(
  request: GraphRequest,
  stored: StoredResource,
  status: number,
  idForms: ItemIdForms,
): GraphAnswer {
  const preferences = readPreferences(request);
  const shown = selectProperties(showItem(stored, preferences, idForms), request.query);
  const etag = stored.body['@odata.etag'];
  return {
    status,
    headers: { ...appliedHeader(preferences), ...(typeof etag === 'string' && { etag }) },
    body: { '@odata.context': contextUrl(request, stored.path, true), ...shown },
  };
}

export function notThere(path: ResourcePath, read?: GraphError['read']): GraphError {
  const id = path.segments.at(-1)?.id ?? path.key;
  const code = kindOf(path)?.notFoundCode ?? 'itemNotFound';
  const text =
    code === 'Request_ResourceNotFound'
      ? `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`
      : 'The specified object was not found in the store.';
  return new GraphError(404, code, text, read);
}
