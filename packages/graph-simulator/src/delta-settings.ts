// How delta queries answer: Graph's numbers where it documents any, its allowed oddities switched off.

/**
 * What a token that is no longer known gets. 'gone': 410 with the URL of a full round as Location; the others: a status
 * of the 40x series with that code; 'mixed': one of the three, by the seed (Graph page "Use delta query").
 */
export type ExpiredTokenForm = 'gone' | 'syncStateNotFound' | 'resyncRequired' | 'mixed';

/** The form that has that status; undefined for any other. */
export function expiredFormOf(status: number | undefined): ExpiredTokenForm | undefined {
  const forms = new Map<number | undefined, ExpiredTokenForm>([
    [410, 'gone'],
    [404, 'syncStateNotFound'],
    [400, 'resyncRequired'],
  ]);
  return forms.get(status);
}

export interface DeltaSettings {
  /** Items come in no defined order; without it in the order of their last changes. */
  readonly shuffle: boolean;
  /** How likely an item comes twice in a round, the first time perhaps in its state before the last change. */
  readonly replayChance: number;
  /** How likely a page is empty though the round goes on. */
  readonly emptyPageChance: number;
  /** A change is seen by delta queries only after this time, though its notification is sent at once. */
  readonly lagMs: number;
  /** Users and groups: 7 days (same page). */
  readonly directoryTokenLifeMs: number;
  /** Outlook's tokens have no fixed life: they last until so many newer ones of the mailbox were made. */
  readonly tokensPerMailbox: number;
  readonly expiredAs: ExpiredTokenForm;
}

export const DEFAULT_DELTA: DeltaSettings = {
  shuffle: false,
  replayChance: 0,
  emptyPageChance: 0,
  lagMs: 0,
  directoryTokenLifeMs: 7 * 24 * 60 * 60 * 1000,
  tokensPerMailbox: 1_000,
  expiredAs: 'gone',
};
