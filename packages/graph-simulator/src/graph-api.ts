// Sends a call under /v1.0 to the handler of its path.
import { type GraphAnswer, GraphError, type GraphRequest } from './graph-exchange.ts';
import { parseResourcePath, type ResourcePath, ResourcePathError } from './resource-path.ts';

type Handler = (request: GraphRequest, path: ResourcePath) => GraphAnswer | Promise<GraphAnswer>;

export interface GraphApiDeps {
  readonly subscriptionsApi: Handler;
  readonly resourcesApi: Handler;
  readonly batchApi: (request: GraphRequest) => Promise<GraphAnswer>;
  /** Throws where the app has lost its consent. */
  readonly checkConsent: (request: GraphRequest, path: ResourcePath) => void;
}

function readPath(text: string): ResourcePath {
  try {
    return parseResourcePath(text);
  } catch (cause) {
    if (cause instanceof ResourcePathError) throw new GraphError(400, 'BadRequest', cause.message);
    throw cause;
  }
}

/** @throws {GraphError} which the caller turns into Graph's error shape */
export function createGraphApi(deps: GraphApiDeps): (request: GraphRequest) => Promise<GraphAnswer> {
  return async (request) => {
    const path = readPath(request.path);
    if (path.operation === '$batch' && path.segments.length === 0) return deps.batchApi(request);
    deps.checkConsent(request, path);
    const isSubscriptions = path.segments[0]?.word === 'subscriptions';
    return isSubscriptions ? deps.subscriptionsApi(request, path) : deps.resourcesApi(request, path);
  };
}
