/**
 * What Graph allows for a kind of subscription: how long it may live, and whether and how it carries data (Graph:
 * subscription resource type, change-notifications-with-resource-data). Pure.
 */
import type { ResourcePath } from '@graph2kafka/shared';

type Family = 'outlook' | 'teams' | 'presence' | 'directory' | 'files' | 'other';

/** Graph's own numbers; Outlook's is the one of the field, its reference says 10,080. */
const LIFE_MINUTES: Readonly<Record<Family, number>> = {
  outlook: 10_070,
  teams: 4_320,
  presence: 60,
  directory: 41_760,
  files: 42_300,
  other: 4_230,
};
const RICH_OUTLOOK_LIFE_MINUTES = 1_440;

/** Graph goes by its own clock, and refuses what is a second too long. */
const CLOCK_MARGIN_MINUTES = 10;

const OUTLOOK = ['events', 'messages', 'contacts'];
const TEAMS = ['chats', 'teams', 'channels'];

/** In any case, as Graph reads them. */
const NOT_IN_RICH = ['body', 'uniquebody'];

export type Wanting = { readonly rich: boolean; readonly select?: readonly string[] | undefined };

/** The most that may be asked for; below 45 Graph raises it to 45. */
export function longestLifeMinutes(path: ResourcePath, { rich }: Pick<Wanting, 'rich'>): number {
  const family = familyOf(path);
  const longest = rich && family === 'outlook' ? RICH_OUTLOOK_LIFE_MINUTES : LIFE_MINUTES[family];
  return longest - CLOCK_MARGIN_MINUTES;
}

/** What Graph would refuse, with the name of the field that is wrong. */
export function findDataProblem(path: ResourcePath, { rich, select }: Wanting): string | undefined {
  const family = familyOf(path);
  if (select !== undefined && family === 'teams') return 'select: Graph takes none for what is in Teams';
  if (!rich) return undefined;
  if (family !== 'outlook' && family !== 'teams') {
    return 'rich: Graph sends data with events, messages, contacts and what is in Teams only';
  }
  if (family === 'teams') return undefined;
  if (select === undefined) return 'select: must name the properties that come with rich notifications';
  const refused = select.find((name) => NOT_IN_RICH.includes(name.toLowerCase()));
  return refused && `select: Graph does not send ${refused} with rich notifications`;
}

function familyOf(path: ResourcePath): Family {
  const words = path.map(({ word }) => word.toLowerCase());
  const last = words.at(-1) ?? '';
  if (words.some((word) => TEAMS.includes(word))) return 'teams';
  if (OUTLOOK.includes(last)) return 'outlook';
  if (last === 'presence' || last === 'presences') return 'presence';
  if (words.length === 1 && (last === 'users' || last === 'groups')) return 'directory';
  return words.some((word) => ['drive', 'drives', 'lists'].includes(word)) ? 'files' : 'other';
}
