/** The topic of a wanted subscription, from a template such as `graph.{resource}.{tenant}`. Pure. */
import type { ResourcePath } from '@graph2kafka/shared';

export type TopicParts = {
  readonly tenant: string;
  /** Object id; absent where what is watched is nobody's. */
  readonly user: string | undefined;
  /** Of the wanted subscription. */
  readonly name: string;
  readonly path: ResourcePath;
};

export type RenderedTopic =
  | { readonly ok: true; readonly topic: string }
  | { readonly ok: false; readonly reason: string };

/** Kafka's own rule (org.apache.kafka.common.internals.Topic). */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

const PLACEHOLDER = /\{([^{}]*)\}/g;

export function renderTopic(template: string, { tenant, user, name, path }: TopicParts): RenderedTopic {
  const values: Readonly<Record<string, string>> = {
    tenant,
    ...(user !== undefined && { user }),
    name,
    resource: collectionName(path),
  };
  const unknown = [...template.matchAll(PLACEHOLDER)].find(([, word = '']) => !Object.hasOwn(values, word));
  if (unknown) {
    const known = ['tenant', 'resource', 'user', 'name'].filter((word) => Object.hasOwn(values, word));
    return refuse(`${unknown[0]} is none of ${known.map((word) => `{${word}}`).join(', ')}`);
  }
  const topic = template.replaceAll(PLACEHOLDER, (_, word: string) => values[word] ?? '');
  if (!TOPIC_NAME.test(topic) || topic === '.' || topic === '..') {
    return refuse(`${JSON.stringify(topic)} is no topic name: 1 to 249 letters, digits, . _ -`);
  }
  return { ok: true, topic };
}

/** What is watched: `events`, `messages` also for `chats/getAllMessages`, `driveitems` for the root of a drive. */
function collectionName(path: ResourcePath): string {
  const word = (path.at(-1)?.word ?? '').toLowerCase();
  return word === 'root' ? 'driveitems' : word.replace(/^getall/, '');
}

function refuse(reason: string): RenderedTopic {
  return { ok: false, reason };
}
