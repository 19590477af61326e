/**
 * A round of reading what a subscription watches: page after page, each in a run of its own, until the entries that
 * brought it about are covered. What arrives meanwhile leads to another round after it: this one may have passed it.
 * Pure.
 */
import type { TakenEntry, TakenResource } from '@graph2kafka/shared';
import type { Page } from '../graph/read-page.ts';
import { foldersOf, phasesAnew, phasesOf, queryKey, type WatchedView } from './delta-plan.ts';
import { type Phase, type Round, type SavedToken, type SavedTokens, WHOLE } from './delta-state.ts';
import type { DeltaChange } from './delta-store.ts';

/** `undefined` where what is watched can be read in no way. */
export function beginRound(
  view: WatchedView,
  tokens: SavedTokens,
  entries: readonly TakenEntry[],
  now: number,
): Round | undefined {
  const phases = phasesOf(view, tokens, now);
  return (
    phases && {
      by: queryKey(view),
      startedAt: now,
      receivedAt: Math.min(...entries.map(({ firstReceivedAt }) => firstReceivedAt)),
      covers: entries.map(nameOf),
      phases,
      refusals: 0,
      attempts: 0,
      savedAt: 0,
    }
  );
}

/** Numbers begin anew when an owner's inbox was empty; together with its time it is one entry. */
function nameOf({ seq, firstReceivedAt }: TakenEntry): string {
  return `${seq}@${firstReceivedAt}`;
}

export function coveredBy(round: Round, entries: readonly TakenEntry[]): TakenEntry[] {
  const names = new Set(round.covers);
  return entries.filter((entry) => names.has(nameOf(entry)));
}

/**
 * Entries that wait for the round to end, and for which another one stands that does: a long round would else gather
 * one for each of its pages. `keep`: which one stands for the others.
 */
export function superfluous(
  round: Round,
  entries: readonly TakenEntry[],
  keep: 'first' | 'last',
): TakenEntry[] {
  const covered = new Set(coveredBy(round, entries));
  // Whether a deletion found no room must not be forgotten.
  const waiting = entries.filter((entry) => !covered.has(entry) && !(isResync(entry) && entry.deleted));
  return keep === 'first' ? waiting.slice(1) : waiting.slice(0, -1);
}

function isResync({ news }: TakenEntry): boolean {
  return news.kind === 'resync';
}

/** The token that the phase begins from, if any. */
export function tokenOf(phase: Phase | undefined, tokens: SavedTokens): SavedToken | undefined {
  return phase?.do === 'walk' && !phase.prime ? tokens.get(phase.folder) : undefined;
}

/** Where the round stands once a page is confirmed; without a `round` it is over. */
export function afterPage(
  view: WatchedView,
  round: Round,
  page: Page,
  tokens: SavedTokens,
  { attempts }: TakenResource,
  now: number,
): { readonly round: Round | undefined; readonly change: DeltaChange } {
  const [phase, ...later] = round.phases;
  const { link: _link, full: _full, ...rest } = round;
  const isFull = round.link === undefined ? tokenOf(phase, tokens) === undefined : round.full === true;
  const going: Round = { ...rest, attempts, savedAt: now };
  const current = phase?.do === 'folders' ? { ...phase, found: [...phase.found, ...idsOf(page)] } : phase;
  if (page.next !== undefined && current) {
    const on: Round = { ...going, phases: [current, ...later], link: page.next, full: isFull };
    return { round: on, change: { round: on } };
  }
  if (current?.do === 'folders') {
    const folders = foldersOf(view, current.found);
    const walks = folders.map((folder): Phase => ({ do: 'walk', folder }));
    const gone = foldersGone(tokens, folders).map((folder) => [folder, null] as const);
    return goOn({ ...going, phases: [...walks, ...later] }, Object.fromEntries(gone));
  }
  const over: Round = { ...going, phases: later };
  if (current?.do !== 'walk' || page.delta === undefined) return goOn(over);
  const token = tokenAfter(view, round, current, page.delta, tokens, now);
  return current.prime
    ? goOn({ ...over, pending: { ...token, folder: current.folder } })
    : goOn(over, { [current.folder]: token });
}

/** Those that were walked before and are no more. */
export function foldersGone(tokens: SavedTokens, folders: readonly string[]): string[] {
  return [...tokens.keys()].filter((folder) => folder !== WHOLE && !folders.includes(folder));
}

function idsOf({ items }: Page): string[] {
  return items.filter(({ removed, state }) => !removed && !isSearch(state.data)).map(({ id }) => id);
}

/** Shows messages that are in other folders. */
function isSearch(data: Readonly<Record<string, unknown>>): boolean {
  return /mailSearchFolder$/i.test(String(data['@odata.type'] ?? ''));
}

/** The window of a calendar is that of its first token. */
function tokenAfter(
  view: WatchedView,
  round: Round,
  phase: Extract<Phase, { do: 'walk' }>,
  link: string,
  tokens: SavedTokens,
  now: number,
): SavedToken {
  const windowAt = tokenOf(phase, tokens)?.windowAt ?? round.startedAt;
  return { link, at: now, by: queryKey(view), windowAt };
}

function goOn(
  round: Round,
  tokens: Readonly<Record<string, SavedToken | null>> = {},
): { readonly round: Round | undefined; readonly change: DeltaChange } {
  if (round.phases.length > 0) return { round, change: { round, tokens } };
  const { pending } = round;
  if (!pending) return { round: undefined, change: { round: null, tokens } };
  const { folder, ...token } = pending;
  return { round: undefined, change: { round: null, tokens: { ...tokens, [folder]: token } } };
}

/** A token was refused: what it stood for is read from the beginning. */
export function afterRefusal(
  view: WatchedView,
  round: Round,
  now: number,
): { round: Round; change: DeltaChange } {
  const { link: _link, full: _full, pending: _pending, phases, ...rest } = round;
  const [phase] = phases;
  const anew: Round = {
    ...rest,
    phases: phasesAnew(view, phases, now),
    refusals: round.refusals + 1,
    savedAt: now,
  };
  return {
    round: anew,
    change: { round: anew, ...(phase?.do === 'walk' && { tokens: { [phase.folder]: null } }) },
  };
}

/** The folder is gone: there is nothing to walk, nor a token to keep. */
export function withoutPhase(round: Round): {
  readonly round: Round | undefined;
  readonly change: DeltaChange;
} {
  const [phase, ...later] = round.phases;
  const { link: _link, full: _full, ...rest } = round;
  return goOn({ ...rest, phases: later }, phase?.do === 'walk' ? { [phase.folder]: null } : {});
}

/** Tries are counted anew with each page: a long round meets more failures than a short one. */
export function triedOfPage(round: Round, taken: TakenResource): TakenResource {
  const { attempts, waitingSince } = taken;
  return {
    ...taken,
    attempts: Math.max(0, attempts - round.attempts),
    waitingSince: waitingSince === 0 ? 0 : Math.max(waitingSince, round.savedAt),
  };
}
