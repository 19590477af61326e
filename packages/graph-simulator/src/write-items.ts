// POST, PATCH and DELETE of items: events, mail, contacts, users, groups, chat messages, files, tasks.
import type { DirectoryObjects, MemberWord } from './directory-objects.ts';
import {
  type GraphAnswer,
  GraphError,
  type GraphRequest,
  type JsonObject,
  objectBody,
} from './graph-exchange.ts';
import { answerItem, notThere } from './item-answers.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import type { Items } from './items.ts';
import { viewTarget } from './mailbox-views.ts';
import { findItem } from './own-items.ts';
import { type ResourcePath, resourcePath } from './resource-path.ts';
import { NoSuchResourceError, type ResourceStore } from './resource-store.ts';
import { type WordTable, wordTable } from './word-table.ts';

export interface WriteItemsDeps {
  readonly resources: ResourceStore;
  readonly items: Items;
  readonly directoryObjects: DirectoryObjects;
  readonly idForms: ItemIdForms;
}

/** Kinds whose items can be made, altered and removed by calls; the others come from simulator methods alone. */
const WRITABLE = new Set([
  'users/events',
  'users/messages',
  'users/contacts',
  'users/mailfolders',
  'users/contactfolders',
  'users/calendars',
  'users/todo/lists',
  'users/todo/lists/tasks',
  'users',
  'groups',
  'chats/messages',
  'teams/channels/messages',
  'drives/items',
  'sites/lists/items',
]);
/** PATCH answers these without a body. */
const SILENT_PATCH = new Set(['users', 'groups', 'chats/messages', 'teams/channels/messages']);

const hasTime = (value: unknown) => typeof (value as JsonObject | null | undefined)?.dateTime === 'string';

function checkDraft(path: ResourcePath, draft: JsonObject): void {
  if (path.words === 'users/events' && (!hasTime(draft.start) || !hasTime(draft.end))) {
    const text = "An event needs 'start' and 'end', each with a dateTime.";
    throw new GraphError(400, 'ErrorPropertyValidationFailure', text);
  }
  const required = { users: ['displayName', 'userPrincipalName'], groups: ['displayName'] }[path.words] ?? [];
  const missing = required.find((name) => typeof draft[name] !== 'string');
  if (missing === undefined) return;
  const text = `A value is required for property '${missing}' of resource '${path.words}'.`;
  throw new GraphError(400, 'Request_BadRequest', text);
}

const unsupported = () =>
  new GraphError(405, 'notImplemented', 'The simulator does not support this method here.');

function requireWritable(path: ResourcePath): void {
  if (!WRITABLE.has(path.words)) throw unsupported();
}

function create(deps: WriteItemsDeps, request: GraphRequest, asked: ResourcePath): GraphAnswer {
  const collection = asChildren(deps, asked) ?? { path: asked, more: {} };
  const { path } = viewTarget(collection.path);
  requireWritable(path);
  const parent = viewParent(collection.path);
  if (parent !== undefined && findItem(deps.resources, parent) === undefined) throw notThere(parent);
  const draft = objectBody(request);
  checkDraft(path, draft);
  const stored = deps.items.create(collection.path, { ...draft, ...collection.more });
  return answerItem(request, stored, 201, deps.idForms);
}

/** What has to be there before something is put into it: a folder, a group, a drive. */
function viewParent(collection: ResourcePath): ResourcePath | undefined {
  const parent = collection.segments.slice(0, -1);
  const isContacts = parent.at(-1)?.word === 'contactfolders' && parent.at(-1)?.id === 'contacts';
  return parent.at(-1)?.id === undefined || isContacts ? undefined : viewTarget(resourcePath(parent)).path;
}

/** "drives/{d}/root/children" and "drives/{d}/items/{f}/children" → the drive's items, in that folder. */
function asChildren(
  { resources }: WriteItemsDeps,
  path: ResourcePath,
): { path: ResourcePath; more: JsonObject } | undefined {
  const [drive, item] = path.segments;
  if (drive?.word !== 'drives' || item === undefined || path.segments.at(-1)?.word !== 'children')
    return undefined;
  const folder = findItem(resources, resourcePath([drive, item]));
  if (folder === undefined) throw notThere(resourcePath([drive, item]));
  const parentReference = { driveId: drive.id, id: folder.path.segments.at(-1)?.id };
  return { path: resourcePath([drive, { word: 'items' }]), more: { parentReference } };
}

function update(deps: WriteItemsDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  requireWritable(path);
  const stored = deps.items.update(path, objectBody(request));
  return SILENT_PATCH.has(path.words) ? { status: 204 } : answerItem(request, stored, 200, deps.idForms);
}

function remove(deps: WriteItemsDeps, path: ResourcePath): GraphAnswer {
  if (path.words === 'directory/deleteditems') {
    deps.directoryObjects.purge(path.segments.at(-1)?.id ?? '');
    return { status: 204 };
  }
  requireWritable(path);
  const isDirectory = path.words === 'users' || path.words === 'groups';
  if (isDirectory) deps.directoryObjects.softDelete(path);
  else deps.items.remove(path);
  return { status: 204 };
}

function textOf(body: JsonObject, name: string): string {
  const value = Object.entries(body).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  if (typeof value === 'string' && value !== '') return value;
  throw new GraphError(400, 'BadRequest', `Missing required property '${name}'.`);
}

/** POST …/{id}/move: the item at its new id. */
function move(deps: WriteItemsDeps, request: GraphRequest, item: ResourcePath): GraphAnswer {
  const { path } = viewTarget(item);
  if (path.words !== 'users/messages') throw new GraphError(405, 'BadRequest', 'Only messages can be moved.');
  const moved = deps.items.move(path, textOf(objectBody(request), 'destinationId'));
  return answerItem(request, moved, 201, deps.idForms);
}

function restore(deps: WriteItemsDeps, request: GraphRequest, item: ResourcePath): GraphAnswer {
  const stored = deps.directoryObjects.restore(item.segments.at(-1)?.id ?? '');
  return answerItem(request, stored, 200, deps.idForms);
}

const ACTIONS: WordTable<typeof move> = wordTable({ move, restore });

/** POST …/members/$ref {"@odata.id": "…/directoryObjects/{id}"} and DELETE …/members/{id}/$ref. */
function changeMember(deps: WriteItemsDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  const [group, member] = path.segments;
  const word = member?.word as MemberWord;
  const isMembership = path.words === 'groups/members' || path.words === 'groups/owners';
  if (!isMembership || group?.id === undefined) throw unsupported();
  if (request.method === 'DELETE') {
    deps.directoryObjects.removeMember(group.id, member?.id ?? '', word);
  } else {
    const address = textOf(objectBody(request), '@odata.id');
    deps.directoryObjects.addMember(group.id, address.split('/').at(-1) ?? '', word);
  }
  return { status: 204 };
}

function write(deps: WriteItemsDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  if (path.operation === '$ref') return changeMember(deps, request, path);
  const last = path.segments.at(-1)?.word ?? '';
  const item = resourcePath(path.segments.slice(0, -1));
  const action = path.isCollection && request.method === 'POST' ? ACTIONS.get(last) : undefined;
  if (action !== undefined) return action(deps, request, item);
  if (request.method === 'POST' && path.isCollection) return create(deps, request, path);
  const target = viewTarget(path).path;
  if (path.isCollection || (request.method !== 'PATCH' && request.method !== 'DELETE')) {
    throw unsupported();
  }
  return request.method === 'PATCH' ? update(deps, request, target) : remove(deps, target);
}

/** @throws {GraphError} 404 for what is not there, 405 for what cannot be written here */
export function writeItems(deps: WriteItemsDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  try {
    return write(deps, request, path);
  } catch (cause) {
    if (cause instanceof NoSuchResourceError) throw notThere(viewTarget(path).path);
    throw cause;
  }
}
