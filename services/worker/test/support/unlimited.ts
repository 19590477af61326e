/** A Graph without limits, for runs whose limits are not what is examined. */
import type { MailboxRequests } from '../../src/limits/mailbox-requests.ts';
import type { TenantPauses } from '../../src/limits/tenant-pauses.ts';

export const neverPaused: TenantPauses = {
  ofTenant: async () => undefined,
  ofKind: async () => undefined,
  asking: () => ({ answered: () => undefined, failed: async () => undefined }),
  credentialReplaced: async () => undefined,
  list: async () => [],
};

export const uncountedRequests: MailboxRequests = { waitFor: async () => 0, count: () => undefined };
