// The calls on everything but subscriptions: reading any resource, and writing events.
import type { Calendar } from './calendar.ts';
import {
  type GraphAnswer,
  GraphError,
  type GraphRequest,
  type JsonObject,
  objectBody,
} from './graph-exchange.ts';
import { pageOf, selectProperties } from './paging.ts';
import { appliedHeader, preferText, readPreferences } from './preferences.ts';
import { kindOf } from './resource-kinds.ts';
import { type PathSegment, type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceStore, StoredResource } from './resource-store.ts';
import type { UserDirectory } from './user-directory.ts';

export interface ResourcesApiDeps {
  readonly resources: ResourceStore;
  readonly directory: UserDirectory;
  readonly calendar: Calendar;
  readonly now: () => number;
}

const DEFAULT_PAGE_SIZE = 100;
const UNSUPPORTED_OPTIONS = ['$filter', '$search', '$orderby', '$expand', '$count', '$apply', '$format'];

/** Views of a mailbox lead to where its items are stored; the folder then narrows a list. */
interface Target {
  readonly path: ResourcePath;
  readonly folderId: string | undefined;
}

const VIEW_WORDS = new Set(['mailfolders', 'calendar', 'contactfolders']);

/** "users/{id}/mailFolders/{f}/messages/{m}" → "users/{id}/messages/{m}" in folder f; others stay as they are. */
function targetOf(path: ResourcePath): Target {
  const view = path.segments[1];
  if (view === undefined || path.segments.length < 3 || !VIEW_WORDS.has(view.word))
    return { path, folderId: undefined };
  const rest = path.segments.filter((segment): segment is PathSegment => segment !== view);
  return { path: resourcePath(rest, path.operation), folderId: view.id };
}

function refuseUnsupported(request: GraphRequest, path: ResourcePath): void {
  const option = UNSUPPORTED_OPTIONS.find((name) => request.query.has(name));
  const what = option ?? path.operation;
  if (what !== undefined)
    throw new GraphError(501, 'notImplemented', `The simulator does not support '${what}' here.`);
}

function requireUser(directory: UserDirectory, path: ResourcePath): void {
  const [first, ...rest] = path.segments;
  if (first?.word === 'me') {
    throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  if (first?.word !== 'users' || first.id === undefined || rest.length === 0) return;
  if (directory.find(first.id) === undefined) throw notThere(resourcePath([first]));
}

function notThere(path: ResourcePath, read?: GraphError['read']): GraphError {
  const id = path.segments.at(-1)?.id ?? path.key;
  const code = kindOf(path)?.notFoundCode ?? 'itemNotFound';
  const text =
    code === 'Request_ResourceNotFound'
      ? `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`
      : 'The specified object was not found in the store.';
  return new GraphError(404, code, text, read);
}

/** "users('{id}')/events/$entity": the tail of @odata.context. */
function contextUrl(request: GraphRequest, path: ResourcePath, entity: boolean): string {
  const spelling = kindOf(path)?.spelling ?? [];
  const parts = path.segments.map(({ word, id }, i) => {
    const name = (spelling[i] ?? word).replace(/^./, (first) => first.toLowerCase());
    const isLast = i === path.segments.length - 1;
    return id === undefined || isLast ? name : `${name}('${encodeURIComponent(id)}')`;
  });
  return `${request.origin}/v1.0/$metadata#${parts.join('/')}${entity ? '/$entity' : ''}`;
}

function answerItem(request: GraphRequest, stored: StoredResource, status: number): GraphAnswer {
  const preferences = readPreferences(request);
  const shown = selectProperties(preferText(stored.body, preferences), request.query);
  const etag = stored.body['@odata.etag'];
  return {
    status,
    headers: { ...appliedHeader(preferences), ...(typeof etag === 'string' && { etag }) },
    body: { '@odata.context': contextUrl(request, stored.path, true), ...shown },
  };
}

function readItem(deps: ResourcesApiDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  const stored = deps.resources.get(path);
  const read = { resource: path.key, version: stored?.version ?? null, at: deps.now() };
  if (stored === undefined) throw notThere(path, read);
  return { ...answerItem(request, stored, 200), read };
}

function requireCollection(deps: ResourcesApiDeps, path: ResourcePath): void {
  if (kindOf(path) === undefined && !deps.resources.hasCollection(path)) {
    const word = path.segments.at(-1)?.word ?? '';
    throw new GraphError(400, 'BadRequest', `Resource not found for the segment '${word}'.`);
  }
  const parent = path.segments.slice(0, -1);
  if (
    parent.length > 0 &&
    deps.resources.get(resourcePath(parent)) === undefined &&
    !deps.resources.hasCollection(path)
  ) {
    throw notThere(resourcePath(parent));
  }
}

function listItems(deps: ResourcesApiDeps, request: GraphRequest, { path, folderId }: Target): GraphAnswer {
  requireCollection(deps, path);
  const all = deps.resources.list(path);
  const items = folderId === undefined ? all : all.filter(({ body }) => body.parentFolderId === folderId);
  const { page, link } = pageOf(request, items, kindOf(path)?.pageSize ?? DEFAULT_PAGE_SIZE);
  const preferences = readPreferences(request);
  const value = page.map(({ body }) => selectProperties(preferText(body, preferences), request.query));
  const body = { '@odata.context': contextUrl(request, path, false), ...link, value };
  return { status: 200, headers: appliedHeader(preferences), body };
}

const hasTime = (value: unknown) => typeof (value as JsonObject | null | undefined)?.dateTime === 'string';

function createEvent(deps: ResourcesApiDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  const draft = objectBody(request);
  if (!hasTime(draft.start) || !hasTime(draft.end)) {
    throw new GraphError(
      400,
      'ErrorPropertyValidationFailure',
      "An event needs 'start' and 'end', each with a dateTime.",
    );
  }
  const stored = deps.calendar.create(path.segments[0]?.id ?? '', draft);
  return answerItem(request, stored, 201);
}

function requireItem(deps: ResourcesApiDeps, path: ResourcePath): void {
  if (deps.resources.get(path) === undefined) throw notThere(path);
}

function updateEvent(deps: ResourcesApiDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  requireItem(deps, path);
  return answerItem(request, deps.calendar.update(path.key, objectBody(request)), 200);
}

function removeEvent(deps: ResourcesApiDeps, path: ResourcePath): GraphAnswer {
  requireItem(deps, path);
  deps.calendar.remove(path.key);
  return { status: 204 };
}

/** The path of the single resource that a GET would read, or undefined for lists and functions. */
export function readTarget(path: ResourcePath, directory: UserDirectory): string | undefined {
  if (path.isCollection || path.operation !== undefined) return undefined;
  return targetOf(directory.resolve(path)).path.key;
}

export function createResourcesApi(
  deps: ResourcesApiDeps,
): (request: GraphRequest, path: ResourcePath) => GraphAnswer {
  return (request, asked) => {
    refuseUnsupported(request, asked);
    const target = targetOf(deps.directory.resolve(asked));
    const { path } = target;
    requireUser(deps.directory, path);
    if (request.method === 'GET') {
      return path.isCollection ? listItems(deps, request, target) : readItem(deps, request, path);
    }
    if (path.words === 'users/events') {
      if (request.method === 'POST' && path.isCollection) return createEvent(deps, request, path);
      if (request.method === 'PATCH' && !path.isCollection) return updateEvent(deps, request, path);
      if (request.method === 'DELETE' && !path.isCollection) return removeEvent(deps, path);
    }
    throw new GraphError(405, 'notImplemented', 'The simulator does not support this method here.');
  };
}
