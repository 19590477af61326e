/** What a resource is called in the type of its record, as Graph's own types are called. */
import type { ResourcePath } from '@graph2kafka/shared';

/** By the last collection of the path; by `#Microsoft.Graph.…` of the notification where the path does not tell. */
export function resourceType(path: ResourcePath, odataType: string | undefined): string {
  const last = path.findLast(({ id }) => id !== undefined) ?? path.at(-1);
  const isTeams = path[0]?.word === 'teams' || path[0]?.word === 'chats';
  if (isTeams && (last?.word === 'messages' || last?.word === 'replies')) return 'ChatMessage';
  const known = TYPE_BY_COLLECTION[last?.word ?? ''];
  if (known) return known;
  const named = odataType
    ?.split('.')
    .at(-1)
    ?.replace(/[^A-Za-z]/g, '');
  return named ? named.charAt(0).toUpperCase() + named.slice(1) : 'Resource';
}

const TYPE_BY_COLLECTION: Readonly<Record<string, string>> = {
  channels: 'Channel',
  chats: 'Chat',
  contacts: 'Contact',
  events: 'Event',
  groups: 'Group',
  members: 'ConversationMember',
  messages: 'Message',
  teams: 'Team',
  users: 'User',
};
