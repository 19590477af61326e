/** Who is wanted at the moment: the seam between what is declared, whom Graph says that it means, and who subscribes. */
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';

export type WishSource = {
  /**
   * What is wanted as known now, of all tenants; the same array while nothing has changed. Asks Redis for what another
   * worker has found, and never Graph.
   */
  current(): Promise<readonly Wish[]>;
  /**
   * Names of the entries whose people nobody has read yet (the first start, an emptied Redis, Graph away), as of the last
   * `current()`. It says nothing of their wishes: what exists for one of them (`{name}/…`) has to stay.
   */
  unread(): readonly string[];
  /**
   * Asks Graph for joins and leaves, of what it is time for. One worker at a time. What fails in Graph is in the report
   * and tried again later, and changes nobody; rejects where Redis fails.
   */
  refresh(): Promise<PeopleReport>;
  /** How often `refresh` may find something to look at: what failed is tried each minute. */
  readonly refreshEveryMs: number;
};

export type PeopleReport = {
  /** Whether `current()` says something else now. */
  readonly changed: boolean;
  /** Those that Graph was asked for; the others are as they were. */
  readonly sources: readonly SourceReport[];
};

export type SourceReport = {
  readonly tenantId: string;
  /** `group sales@contoso.com`, `filter accountEnabled eq true`, `all users`, `users by name`. */
  readonly source: string;
  /** How many are wanted now. */
  readonly people: number;
  readonly joined: number;
  readonly left: number;
  readonly skipped: readonly Skipped[];
  /** So many were missing in a list that lost more than could be believed at the first look; they stay. */
  readonly doubted?: number;
  /** Why it could not be read, or not to the end; nobody was removed. */
  readonly problem?: string;
};

/** Some that are not subscribed for one reason. */
export type Skipped = {
  readonly reason: SkipReason;
  readonly count: number;
  /** Some of them: a name as it is declared, or an object id. */
  readonly who: readonly string[];
};

export type SkipReason =
  /** Nobody in the tenant has this principal name or mail address. */
  | 'unknown'
  /** Several have this mail address. */
  | 'ambiguous'
  /** Of another organisation, so without a mailbox in this one. */
  | 'guest'
  /** Graph listed somebody, and no object id. */
  | 'no id';
