/** Reads one resource as it is now. */
import { type ResourcePath, requestPath } from '@graph2kafka/shared';
import type { GraphRequests } from './graph-client.ts';
import { GraphError } from './graph-error.ts';
import { versionOf } from './resource-version.ts';

export type ResourceState = {
  readonly data: Readonly<Record<string, unknown>>;
  /** What `versionOf` finds; undefined for resources without versions. */
  readonly version: string | undefined;
  /** Epoch milliseconds; the state is no older. */
  readonly readAt: number;
};

export type FetchOptions = {
  /** The properties to ask for; absent: all. */
  readonly select?: readonly string[];
  /** Values of the Prefer header: `IdType="ImmutableId"`, `outlook.body-content-type="text"`. */
  readonly prefer?: readonly string[];
};

export type FetchResource = (path: ResourcePath, options?: FetchOptions) => Promise<ResourceState>;

/** Rejects with a `GraphError`. */
export function createFetchResource(client: GraphRequests): FetchResource {
  return async (path, options) => {
    const { query, headers } = preferences(options);
    const request = { path: requestPath(path), ...(query && { query }), ...(headers && { headers }) };
    const { body, readAt } = await client.request({ method: 'GET', ...request });
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new GraphError({ kind: 'unusable', detail: 'the answer is no JSON object' });
    }
    const data = body as Record<string, unknown>;
    return { data, version: versionOf(data), readAt };
  };
}

/** What the options are in a request; absent where they say nothing. */
export function preferences({ select = [], prefer = [] }: FetchOptions = {}) {
  return {
    query: select.length > 0 ? { $select: select.map(encodeURIComponent).join(',') } : undefined,
    headers: prefer.length > 0 ? { Prefer: prefer.join(', ') } : undefined,
  };
}
