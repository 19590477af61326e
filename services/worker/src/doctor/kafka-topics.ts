/** What is wrong with topics that records are to go to. Pure. */
import type { DescribedTopic } from '../kafka/describe-topics.ts';
import { count, error, namesOf, ok, type Problem, type Remark, warning } from './finding.ts';

/** A topic that is there; what the broker does not tell is undefined. */
export type SeenTopic = Pick<DescribedTopic, 'name' | 'mayWrite'> & {
  readonly partitions: number;
  /** Of the partition that has the fewest. */
  readonly replicas: number;
  /** Partitions with fewer replicas in sync than they have. */
  readonly behind: number;
  readonly minInSync: number | undefined;
  readonly maxBytes: number | undefined;
  readonly cleanup: string | undefined;
};

export type TopicSettings = {
  readonly deadLetters: readonly string[];
  readonly creates: boolean;
  readonly tombstones: boolean;
};

/** Kafka's own default; a mail with its body is well below. */
const USUAL_BYTES = 1_000_000;

/** Topics that cannot be written to as they are. */
export function judgeStates(topics: readonly DescribedTopic[], settings: TopicSettings): Remark[] {
  const named = (state: DescribedTopic['state']) =>
    topics.filter((topic) => topic.state === state).map(({ name }) => name);
  const [missing, hidden, invalid, leaderless] = [
    named('missing'),
    named('hidden'),
    named('invalid'),
    named('leaderless'),
  ];
  return [
    ...(missing.length === 0 ? [] : [judgeMissing(missing, settings.creates)]),
    ...(hidden.length === 0
      ? []
      : [
          error(
            `the right Describe is missing for ${namesOf(hidden)}`,
            'grant Describe and Write to the user that the worker signs in as',
          ),
        ]),
    ...(invalid.length === 0
      ? []
      : [error(`Kafka takes no topic of the name ${namesOf(invalid)}`, 'correct the name')]),
    ...(leaderless.length === 0
      ? []
      : [error(`a partition of ${namesOf(leaderless)} has no leader`, 'see which broker is down')]),
  ];
}

function judgeMissing(missing: readonly string[], creates: boolean): Remark {
  if (creates)
    return ok(`the worker will create ${namesOf(missing)} at its start, if it has the right Create`);
  return error(
    `Kafka has no topic ${namesOf(missing)}`,
    'create it, correct the name, or set KAFKA_CREATE_TOPICS=true',
  );
}

type Rule = {
  readonly breaks: (topic: SeenTopic) => boolean;
  /** `names`: of the topics that break it. */
  readonly make: (names: string) => Problem;
};

const RULES: readonly Rule[] = [
  {
    breaks: ({ mayWrite }) => mayWrite === false,
    make: (names) =>
      error(
        `the right Write is missing for ${names}`,
        'grant it to the user that the worker signs in as; it holds the right to write idempotently too',
      ),
  },
  {
    breaks: ({ mayWrite }) => mayWrite === undefined,
    make: (names) =>
      warning(
        `this Kafka does not tell whether ${names} may be written to: the first record will show it`,
        'see that the user may write (Event Hubs: Azure Event Hubs Data Sender)',
      ),
  },
  {
    breaks: ({ replicas }) => replicas < 2,
    make: (names) =>
      warning(
        `one replica alone for ${names}: what is on a broker that is lost is lost`,
        'give it three replicas (kafka-reassign-partitions) and min.insync.replicas=2',
      ),
  },
  {
    breaks: ({ minInSync = 2, replicas }) => replicas > 1 && minInSync < 2,
    make: (names) =>
      warning(
        `min.insync.replicas=1 for ${names}: what Kafka confirms may be on one broker alone`,
        'set min.insync.replicas=2 for it',
      ),
  },
  {
    breaks: ({ behind }) => behind > 0,
    make: (names) => warning(`replicas are behind for ${names}`, 'see which broker is down or slow'),
  },
  {
    breaks: ({ maxBytes = USUAL_BYTES }) => maxBytes < USUAL_BYTES,
    make: (names) =>
      warning(
        `less than ${USUAL_BYTES.toLocaleString('en-US')} bytes taken by ${names}: what is larger becomes a dead letter`,
        'raise its max.message.bytes',
      ),
  },
];

export function judgeTopics(topics: readonly SeenTopic[], settings: TopicSettings): Remark[] {
  if (topics.length === 0) return [];
  const broken = RULES.flatMap(({ breaks, make }) => {
    const names = topics.filter(breaks).map(({ name }) => name);
    return names.length === 0 ? [] : [make(namesOf(names))];
  });
  const all = namesOf(topics.map(describe), 3);
  return [ok(`${count(topics.length, 'topic')}: ${all}`), ...broken, ...judgeCleanup(topics, settings)];
}

function judgeCleanup(topics: readonly SeenTopic[], { deadLetters, tombstones }: TopicSettings): Problem[] {
  return topics.flatMap(({ name, cleanup }) => {
    if (cleanup !== 'compact') return [];
    if (deadLetters.includes(name)) {
      return [
        warning(
          `${name} is compacted: of several dead letters of a resource only the last stays`,
          'set cleanup.policy=delete for it',
        ),
      ];
    }
    if (tombstones) return [];
    const found = `${name} is compacted, and deleted resources stay in it for ever`;
    return [warning(found, 'set KAFKA_TOMBSTONES=true, or cleanup.policy=compact,delete for it')];
  });
}

function describe({ name, partitions, replicas, minInSync, maxBytes, cleanup }: SeenTopic): string {
  const told = [
    ...(minInSync === undefined ? [] : [`min.insync.replicas ${minInSync}`]),
    ...(maxBytes === undefined ? [] : [`${maxBytes.toLocaleString('en-US')} bytes`]),
    ...(cleanup === undefined ? [] : [cleanup]),
  ];
  return `${name} (${[count(partitions, 'partition'), count(replicas, 'replica'), ...told].join(', ')})`;
}
