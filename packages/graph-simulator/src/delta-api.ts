// Delta queries: rounds of pages over what changed, tokens that lead from page to page and from round to round.
import type { DeltaJournal, JournalEntry } from './delta-journal.ts';
import { membersScope } from './delta-journal.ts';
import { type DeltaOptions, type DeltaScope, deltaOptions, deltaScope, removedItem } from './delta-scopes.ts';
import type { DeltaSettings, ExpiredTokenForm } from './delta-settings.ts';
import { DeltaTokens, type TokenState } from './delta-tokens.ts';
import { type GraphAnswer, GraphError, type GraphRequest, type JsonObject } from './graph-exchange.ts';
import { contextUrl, notThere, showItem } from './item-answers.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { driveRoot, findItem, folderWithCounts, mailFolders } from './own-items.ts';
import { pageSize, selectProperties } from './paging.ts';
import { appliedHeader, type Preferences, readPreferences } from './preferences.ts';
import { ownerKey, type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceStore, StoredResource } from './resource-store.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface DeltaApiDeps {
  readonly resources: ResourceStore;
  readonly journal: DeltaJournal;
  readonly idForms: ItemIdForms;
  readonly settings: DeltaSettings;
  readonly random: SeededRandom;
  readonly now: () => number;
}

/** An item's turn in a round: its state of now, or for a replay the one before. */
interface Turn {
  readonly entry: JournalEntry;
  readonly isStale: boolean;
}

/** What a round tells was fixed when it began; in which state, when the page is made. */
interface Round {
  readonly turns: readonly Turn[];
  /** Changes after this number belong to the next round. */
  readonly upTo: number;
  readonly from: number;
}

interface Progress {
  readonly options: DeltaOptions;
  /** Where the next round begins; for a page of a round that goes on, the round and the place in it. */
  readonly from: number;
  readonly round?: Round;
  readonly place?: number;
  readonly wasEmpty?: boolean;
}

/** All that one call of a delta query is about. */
interface DeltaCall {
  readonly request: GraphRequest;
  readonly path: ResourcePath;
  readonly scope: DeltaScope;
  readonly preferences: Preferences;
}

export interface DeltaApi {
  readonly handle: (request: GraphRequest, path: ResourcePath) => GraphAnswer;
  /** Lets tokens expire now. @param owner "users/{id}", "users", "drives/{id}"; all without it. @returns how many */
  readonly expireTokens: (owner?: string) => number;
}

const badToken = () => new GraphError(400, 'BadRequest', 'Badly formed token.');

export function createDeltaApi(deps: DeltaApiDeps): DeltaApi {
  const tokens = new DeltaTokens<Progress>(deps.settings, deps.now);
  return {
    handle: (request, path) => {
      requireParent(deps.resources, path);
      const scope = deltaScope(path);
      return handleDelta(deps, tokens, { request, path, scope, preferences: readPreferences(request) });
    },
    expireTokens: (owner) => tokens.expire(owner),
  };
}

/** The drive, the folder, the channel that the items are in. */
function requireParent(resources: ResourceStore, path: ResourcePath): void {
  const parent = path.segments.slice(0, -1);
  const last = parent.at(-1);
  const isContacts = last?.word === 'contactfolders' && last.id === 'contacts';
  if (last?.id === undefined || isContacts) return;
  const folder =
    last.word === 'childfolders' ? [parent[0] ?? last, { ...last, word: 'mailfolders' }] : parent;
  const isMade = resources.hasCollection(resourcePath(path.segments));
  if (!isMade && findItem(resources, resourcePath(folder)) === undefined)
    throw notThere(resourcePath(parent));
}

function handleDelta(deps: DeltaApiDeps, tokens: DeltaTokens<Progress>, call: DeltaCall): GraphAnswer {
  const { query } = call.request;
  const { tokenNames } = call.scope;
  const token = query.get(tokenNames.skip) ?? query.get(tokenNames.delta) ?? '';
  if (token === 'latest' && call.scope.hasLatest) {
    return answerPage(deps, tokens, call, latest(deps, call));
  }
  const progress =
    token === '' ? { options: firstOptions(call), from: 0 } : readToken(deps, tokens, call, token);
  return answerPage(deps, tokens, call, progress);
}

const firstOptions = ({ request, scope }: DeltaCall) => deltaOptions(request, scope);

function latest({ journal }: DeltaApiDeps, call: DeltaCall): Progress {
  const from = journal.sequence;
  return { options: firstOptions(call), from, round: { turns: [], upTo: from, from }, place: 0 };
}

const bindingOf = ({ request, path }: DeltaCall) =>
  `${request.application.tenantId}/${request.application.clientId}/${path.key}`;

function readToken(
  deps: DeltaApiDeps,
  tokens: DeltaTokens<Progress>,
  call: DeltaCall,
  token: string,
): Progress {
  const answer = tokens.read(token, bindingOf(call));
  if (answer.kind === 'unknown') throw badToken();
  const { value } = answer;
  // The first round begins before everything, and needs no memory of removals.
  const isForgotten = value.round === undefined && value.from < deps.journal.horizon(call.scope.journalKey);
  const isExpired = answer.kind === 'expired' || call.request.expiredToken !== undefined;
  if (isExpired || isForgotten) throw expired(deps, call, value.options);
  return value;
}

const EXPIRED_FORMS: Exclude<ExpiredTokenForm, 'mixed'>[] = ['gone', 'syncStateNotFound', 'resyncRequired'];

function expired({ settings, random }: DeltaApiDeps, call: DeltaCall, options: DeltaOptions): GraphError {
  const { expiredToken = 'as set' } = call.request;
  const set = expiredToken === 'as set' ? settings.expiredAs : expiredToken;
  const form = set === 'mixed' ? random.pick(EXPIRED_FORMS) : set;
  const text =
    'The sync state generation is not found; continuing would be impossible. A full sync is needed.';
  if (form === 'syncStateNotFound') return new GraphError(404, form, text);
  if (form === 'resyncRequired') return new GraphError(400, form, text);
  const code = call.scope.family === 'drive' ? 'resyncChangesApplyDifferences' : 'syncStateNotFound';
  const query = [options.query, `${call.scope.tokenNames.delta}=`].filter((part) => part !== '').join('&');
  const location = `${call.request.origin}/v1.0${call.request.path}?${query}`;
  return new GraphError(410, code, text, undefined, { location });
}

/** The round that begins at a number: what changed since, in the order (or disorder) in which it is told. */
function beginRound(deps: DeltaApiDeps, { scope }: DeltaCall, { from, options }: Progress): Round {
  const { journal, settings, now } = deps;
  const changed = journal.since(scope.journalKey, from);
  const tooNew = changed.filter(({ at }) => at > now() - settings.lagMs).map(({ sequence }) => sequence);
  const hasLag = settings.lagMs > 0 && tooNew.length > 0;
  const upTo = hasLag ? Math.min(...tooNew) - 1 : journal.sequence;
  const told = changed
    .filter((entry) => isOfFilteredIds(entry, scope, options))
    .filter((entry) => entry.sequence <= upTo && (from > 0 || isShownFirst(deps, entry, options)));
  if (from > 0) return { turns: inTurns(deps, told), upTo, from };
  const first = options.isNewestFirst ? newestFirst(deps, told) : told;
  return { turns: inTurns(deps, first.slice(0, options.most), options.isNewestFirst), upTo, from };
}

/** The directory filters by id alone, and says nothing of others, not even that they are not there. */
function isOfFilteredIds({ path }: JournalEntry, { family }: DeltaScope, { filter }: DeltaOptions): boolean {
  return family !== 'directory' || (filter?.({ id: path.segments.at(-1)?.id }) ?? true);
}

function newestFirst({ resources }: DeltaApiDeps, entries: readonly JournalEntry[]): JournalEntry[] {
  const receivedMs = ({ path }: JournalEntry) =>
    Date.parse(String(resources.get(path)?.body.receivedDateTime)) || 0;
  return entries
    .map((entry) => [receivedMs(entry), entry] as const)
    .sort(([a], [b]) => b - a)
    .map(([, entry]) => entry);
}

/** A first round tells of what is there; removals and what lies outside the window would be news of nothing. */
function isShownFirst({ resources }: DeltaApiDeps, entry: JournalEntry, options: DeltaOptions): boolean {
  const stored = resources.get(entry.path);
  return entry.gone === undefined && stored !== undefined && isWithin(stored, options);
}

function isWithin({ body }: StoredResource, { range, filter }: DeltaOptions): boolean {
  return (range?.holds(body) ?? true) && (filter?.(body) ?? true);
}

function inTurns(
  { settings, random }: DeltaApiDeps,
  entries: readonly JournalEntry[],
  isOrdered = false,
): Turn[] {
  const order =
    settings.shuffle && !isOrdered
      ? entries.map((entry) => [random.next(), entry] as const).sort(([a], [b]) => a - b)
      : entries.map((entry) => [0, entry] as const);
  const turns = order.map(([, entry]): Turn => ({ entry, isStale: false }));
  if (settings.replayChance === 0) return turns;
  const replayed = turns.filter(() => random.chance(settings.replayChance));
  // All before the first true telling, so that an item's last telling is always its newest.
  return [...replayed.map(({ entry }): Turn => ({ entry, isStale: true })), ...turns];
}

function answerPage(
  deps: DeltaApiDeps,
  tokens: DeltaTokens<Progress>,
  call: DeltaCall,
  progress: Progress,
): GraphAnswer {
  const { request, preferences } = call;
  const round = progress.round ?? beginRound(deps, call, progress);
  const place = progress.place ?? 0;
  const extra = place === 0 && round.from === 0 ? virtualItems(deps, call) : [];
  const isEmpty = isEmptyPage(deps, progress, round, place);
  const end = isEmpty ? place : place + pageSize(request, progress.options.top);
  const items = round.turns
    .slice(place, end)
    .flatMap((turn) => tell(deps, call, progress.options, round, turn) ?? []);
  const isLast = end >= round.turns.length && !isEmpty;
  const next: Progress = isLast
    ? { options: progress.options, from: round.upTo }
    : { options: progress.options, from: round.from, round, place: end, wasEmpty: isEmpty };
  const link = { [isLast ? '@odata.deltaLink' : '@odata.nextLink']: linkTo(tokens, call, next, isLast) };
  const value = isEmpty ? [] : [...extra, ...items];
  const body = { '@odata.context': deltaContext(call), ...link, value };
  return { status: 200, headers: appliedHeader(preferences), body };
}

function isEmptyPage(
  { settings, random }: DeltaApiDeps,
  progress: Progress,
  round: Round,
  place: number,
): boolean {
  // Never two in a row, so that a round ends.
  if (settings.emptyPageChance === 0 || progress.wasEmpty || round.turns.length <= place) return false;
  return random.chance(settings.emptyPageChance);
}

function deltaContext({ request, scope }: DeltaCall): string {
  if (scope.family === 'directory') return contextUrl(request, scope.collection, false);
  const type = scope.odataType.replace('#microsoft.graph.', '');
  return `${request.origin}/v1.0/$metadata#Collection(${type})`;
}

function linkTo(tokens: DeltaTokens<Progress>, call: DeltaCall, next: Progress, isLast: boolean): string {
  const { request, path, scope } = call;
  const state: TokenState<Progress> = {
    binding: bindingOf(call),
    owner: ownerKey(path),
    isDirectory: scope.family === 'directory',
    value: next,
  };
  const name = isLast ? scope.tokenNames.delta : scope.tokenNames.skip;
  return `${request.origin}/v1.0${request.path}?${name}=${tokens.issue(state)}`;
}

/** What a full round tells of though nobody has made it: a mailbox's own folders, a drive's root. */
function virtualItems({ resources, idForms }: DeltaApiDeps, call: DeltaCall): JsonObject[] {
  const [owner] = call.path.segments;
  if (owner?.id === undefined) return [];
  const isFolders = call.path.words === 'users/mailfolders';
  const own = isFolders
    ? mailFolders(resources, owner).filter(({ version }) => version === 0)
    : call.path.words === 'drives/root'
      ? [driveRoot(resources, owner.id)]
      : [];
  return own.map((item) => ({
    '@odata.type': call.scope.odataType,
    ...showItem(item, call.preferences, idForms),
  }));
}

/** One item of a page; undefined where a replay has no older state to show. */
function tell(
  deps: DeltaApiDeps,
  call: DeltaCall,
  options: DeltaOptions,
  round: Round,
  { entry, isStale }: Turn,
): JsonObject | undefined {
  const current = entry.gone === undefined ? deps.resources.get(entry.path) : undefined;
  const stored = isStale && current !== undefined ? (entry.before ?? current) : current;
  if (stored === undefined || !isWithin(stored, options)) {
    return isStale ? undefined : removal(deps, call, entry);
  }
  const shown = showItem(folderWithCounts(deps.resources, stored), call.preferences, deps.idForms);
  const selected =
    options.select === null
      ? shown
      : selectProperties(shown, new URLSearchParams({ $select: options.select }));
  const typed =
    call.scope.family === 'directory' ? selected : { '@odata.type': call.scope.odataType, ...selected };
  return { ...typed, ...membership(deps, stored, options, round) };
}

function removal(
  { idForms }: DeltaApiDeps,
  { scope, preferences }: DeltaCall,
  entry: JournalEntry,
): JsonObject {
  const path = preferences.immutableIds ? idForms.immutablePath(entry.path) : entry.path;
  return removedItem(scope, path.segments.at(-1)?.id ?? '', entry.gone ?? 'deleted');
}

/** "members@delta" of a group, where $select does not leave it out: all members on a first round, then who came and went. */
function membership(
  { journal, resources }: DeltaApiDeps,
  { path }: StoredResource,
  { select }: DeltaOptions,
  { from, upTo }: Round,
): JsonObject {
  if (path.words !== 'groups') return {};
  const selected = select?.split(',').map((name) => name.trim().toLowerCase());
  const words = (['members', 'owners'] as const).filter((word) => selected?.includes(word) ?? true);
  const lists = words.map((word) => {
    const told = journal
      .since(membersScope(path, word), from)
      .filter(({ gone, sequence }) => sequence <= upTo && (from > 0 || gone === undefined))
      .map((entry) => ({
        '@odata.type': memberType(resources, entry.path.segments.at(-1)?.id),
        id: entry.path.segments.at(-1)?.id,
        ...(entry.gone !== undefined && { '@removed': { reason: 'deleted' } }),
      }));
    return [`${word}@delta`, told] as const;
  });
  return Object.fromEntries(lists.filter(([, told]) => told.length > 0));
}

function memberType(resources: ResourceStore, id = ''): string {
  const isGroup = resources.get(resourcePath([{ word: 'groups', id }])) !== undefined;
  return isGroup ? '#microsoft.graph.group' : '#microsoft.graph.user';
}
