/** What is known of the delta queries of a wanted subscription between two pages: tokens, and the round that is under way. */

export type SavedToken = {
  /** Path and query below Graph's version. */
  readonly link: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Of what was asked for (`queryKey`); a token of another question answers another one. */
  readonly by: string;
  /** Epoch milliseconds at which its window of time was chosen, where it has one. */
  readonly windowAt?: number;
};

/** By folder; `WHOLE` where there are none. */
export type SavedTokens = ReadonlyMap<string, SavedToken>;

export const WHOLE = '*';

export type Phase =
  /** A delta query, from its token if there is one; `prime`: from the beginning, and only to have a token. */
  | { readonly do: 'walk'; readonly folder: string; readonly prime?: true }
  /** All of the collection, as it is. */
  | { readonly do: 'list' }
  /** The folders of the mailbox, each of which is walked then. */
  | { readonly do: 'folders'; readonly found: readonly string[] }
  /** The one resource that is watched. */
  | { readonly do: 'one' };

/** Lies in Redis between two pages. */
export type Round = {
  /** `queryKey` of the view that it was begun for. */
  readonly by: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** First receipt of what it covers. */
  readonly receivedAt: number;
  /** The entries that were there when it began. */
  readonly covers: readonly string[];
  /** The first is under way. */
  readonly phases: readonly Phase[];
  /** The next page of that one; absent where it has not begun. */
  readonly link?: string;
  /** Whether the walk that is under way had no token to begin from. */
  readonly full?: boolean;
  /** A token that counts when the round is over. */
  readonly pending?: SavedToken & { readonly folder: string };
  /** Tokens that were refused. */
  readonly refusals: number;
  /** Of the resource, when the last page was confirmed; 0 before the first. */
  readonly attempts: number;
  /** Epoch milliseconds at which that was. */
  readonly savedAt: number;
};

export type DeltaState = { readonly tokens: SavedTokens; readonly round: Round | undefined };
