/** What runs read a tenant's resources with: its own credentials, its own limits. */
import type { FetchResource } from '../graph/fetch-resource.ts';
import type { ReadPage } from '../graph/read-page.ts';

export type TenantAccess = {
  readonly fetchResource: FetchResource;
  readonly readPage: ReadPage;
};

/** By tenant id, in lower case; news of a tenant that is not there cannot be looked up. */
export type Tenants = ReadonlyMap<string, TenantAccess>;
