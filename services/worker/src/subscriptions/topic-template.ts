/** The topic of a wanted subscription, from a template such as `graph.{resource}.{tenant}`. Pure. */
import type { ResourcePath } from '@graph2kafka/shared';

export type TopicParts = {
  readonly tenant: string;
  /** Object id. */
  readonly user: string;
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
    user,
    name,
    // The collection that is watched: events, messages.
    resource: (path.at(-1)?.word ?? '').toLowerCase(),
  };
  const unknown = [...template.matchAll(PLACEHOLDER)].find(([, word = '']) => !Object.hasOwn(values, word));
  if (unknown) {
    return refuse(`${unknown[0]} is none of {tenant}, {resource}, {user}, {name}`);
  }
  const topic = template.replaceAll(PLACEHOLDER, (_, word: string) => values[word] ?? '');
  if (!TOPIC_NAME.test(topic) || topic === '.' || topic === '..') {
    return refuse(`${JSON.stringify(topic)} is no topic name: 1 to 249 letters, digits, . _ -`);
  }
  return { ok: true, topic };
}

function refuse(reason: string): RenderedTopic {
  return { ok: false, reason };
}
