/** What a row of `g2k list` can be. */
export const LISTED_STATES = ['serving', 'failing', 'skipped', 'waiting', 'replaced', 'by-hand'] as const;

export type ListedState = (typeof LISTED_STATES)[number];
