// The calls on everything but subscriptions: sends each to what reads, writes, or tells of changes.
import { type GraphAnswer, GraphError, type GraphRequest } from './graph-exchange.ts';
import { notThere } from './item-answers.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { viewTarget } from './mailbox-views.ts';
import { countItems, listItems, type ReadItemsDeps, readItem } from './read-items.ts';
import { type ResourcePath, resourcePath } from './resource-path.ts';
import type { TenantData } from './tenant-data.ts';
import type { UserDirectory } from './user-directory.ts';
import { type WriteItemsDeps, writeItems } from './write-items.ts';

export interface ResourcesApiDeps {
  /** What the caller's tenant holds, and nothing of any other. */
  readonly dataOf: (tenantId: string) => TenantData;
  readonly idForms: ItemIdForms;
  readonly now: () => number;
}

type CallDeps = ReadItemsDeps & WriteItemsDeps & TenantData;

const UNSUPPORTED_OPTIONS = ['$search', '$orderby', '$expand', '$apply', '$format'];
const OPERATIONS = new Set(['delta', '$count', '$ref']);

function refuseUnsupported(request: GraphRequest, path: ResourcePath): void {
  const { operation } = path;
  // Delta queries have rules of their own.
  const option =
    operation === 'delta' ? undefined : UNSUPPORTED_OPTIONS.find((name) => request.query.has(name));
  const what = option ?? (operation === undefined || OPERATIONS.has(operation) ? undefined : operation);
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

/** The path of the single resource that a GET of a resolved path would read, or undefined for lists and functions. */
export function readTarget(path: ResourcePath): string | undefined {
  if (path.isCollection || path.operation !== undefined) return undefined;
  return viewTarget(path).path.key;
}

function read(deps: CallDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  if (path.operation === 'delta') return deps.delta.handle(request, path);
  if (path.operation === '$count') return countItems(deps, request, path);
  if (path.operation !== undefined)
    throw new GraphError(405, 'BadRequest', 'The method is not allowed here.');
  return path.isCollection ? listItems(deps, request, path) : readItem(deps, request, viewTarget(path).path);
}

export function createResourcesApi({
  dataOf,
  idForms,
  now,
}: ResourcesApiDeps): (request: GraphRequest, path: ResourcePath) => GraphAnswer {
  return (request, asked) => {
    refuseUnsupported(request, asked);
    const deps = { ...dataOf(request.application.tenantId), idForms, now };
    const path = deps.resolve(asked);
    requireUser(deps.directory, path);
    return request.method === 'GET' ? read(deps, request, path) : writeItems(deps, request, path);
  };
}
