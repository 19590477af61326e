/** What a broker says about topics by name, and about what we may do with them. */
import {
  type Base,
  type BaseOptions,
  type Connection,
  kGetApi,
  kGetBootstrapConnection,
  protocolErrorsCodesById,
  ResponseError,
} from '@platformatic/kafka';

export type DescribedTopic = {
  readonly name: string;
  readonly state: 'led' | 'leaderless' | 'missing' | 'hidden' | 'invalid';
  /** Undefined where the broker does not tell. */
  readonly mayWrite: boolean | undefined;
};

type MetadataAnswer = {
  readonly topics: readonly {
    readonly name: string | null;
    readonly errorCode: number;
    readonly partitions: readonly { readonly errorCode: number; readonly leaderId: number }[];
    /** One bit for each operation; from version 8 of the request on. */
    readonly topicAuthorizedOperations?: number;
  }[];
};

type MetadataArguments = [
  topics: string[],
  allowAutoTopicCreation: boolean,
  includeTopicAuthorizedOperations: boolean,
];

/** `AclOperation.WRITE` has the code 4. */
const WRITE_BIT = 1 << 4;
/** Stands for an answer without operations. */
const NOT_TOLD = -(2 ** 31);

/** Rejects where no broker answers. The client's own metadata stops at the first topic with an error, and asks for no rights. */
export async function describeTopics(
  client: Base<BaseOptions>,
  topics: readonly string[],
): Promise<DescribedTopic[]> {
  const connection = await new Promise<Connection>((resolve, reject) => {
    client[kGetBootstrapConnection]((error, found) => (found ? resolve(found) : reject(error)));
  });
  const answer = await requestMetadata(client, connection, topics).catch((error: unknown) => {
    if (!(error instanceof ResponseError)) throw error;
    return (error as unknown as { response: MetadataAnswer }).response;
  });
  return answer.topics.map(toDescribedTopic);
}

function requestMetadata(
  client: Base<BaseOptions>,
  connection: Connection,
  topics: readonly string[],
): Promise<MetadataAnswer> {
  return new Promise((resolve, reject) => {
    client[kGetApi]<MetadataArguments, MetadataAnswer>('Metadata', (noApi, api) => {
      if (!api) {
        reject(noApi);
        return;
      }
      api(connection, [...topics], false, true, (error, answer) =>
        answer ? resolve(answer) : reject(error),
      );
    });
  });
}

function toDescribedTopic(topic: MetadataAnswer['topics'][number]): DescribedTopic {
  const operations = topic.topicAuthorizedOperations ?? NOT_TOLD;
  return {
    name: topic.name ?? '',
    state: stateOf(topic),
    mayWrite: operations === NOT_TOLD ? undefined : (operations & WRITE_BIT) !== 0,
  };
}

function stateOf({ errorCode, partitions }: MetadataAnswer['topics'][number]): DescribedTopic['state'] {
  const code = protocolErrorsCodesById[errorCode];
  if (code === 'UNKNOWN_TOPIC_OR_PARTITION') return 'missing';
  if (code === 'TOPIC_AUTHORIZATION_FAILED') return 'hidden';
  if (code === 'INVALID_TOPIC_EXCEPTION') return 'invalid';
  const isLed =
    partitions.length > 0 && partitions.every((each) => each.errorCode === 0 && each.leaderId >= 0);
  return isLed ? 'led' : 'leaderless';
}
