/** Reads one resource as it is now. */
import { type ResourcePath, requestPath } from '@graph2kafka/shared';
import type { GraphClient } from './graph-client.ts';
import { GraphError } from './graph-error.ts';

export type ResourceState = {
  readonly data: Readonly<Record<string, unknown>>;
  /** `@odata.etag`, or `changeKey` where there is no etag; absent for resources without versions. */
  readonly version: string | undefined;
  /** Epoch milliseconds; the state is no older. */
  readonly readAt: number;
};

/** `select`: the properties to ask for; all where it is absent. */
export type FetchResource = (path: ResourcePath, select?: readonly string[]) => Promise<ResourceState>;

/** Rejects with a `GraphError`. */
export function createFetchResource(client: GraphClient): FetchResource {
  return async (path, select) => {
    const query = select ? { query: { $select: select.join(',') } } : {};
    const { body, readAt } = await client.request({ method: 'GET', path: requestPath(path), ...query });
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new GraphError({ kind: 'unusable', detail: 'the answer is no JSON object' });
    }
    const data = body as Record<string, unknown>;
    return { data, version: text(data['@odata.etag']) ?? text(data.changeKey), readAt };
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
