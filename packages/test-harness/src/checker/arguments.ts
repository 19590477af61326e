// The command line of the checker.
import { parseArgs } from 'node:util';

export interface CheckerArguments {
  readonly changeLog: string;
  readonly brokers: string;
  readonly topics: readonly string[];
  readonly deadLetterTopic: string | undefined;
  readonly kafkaLib: string | undefined;
  readonly acknowledgedOnly: boolean;
  readonly json: boolean;
}

export const HELP = `Compares what changed and was acknowledged with what lies in Kafka.

  --change-log FILE          what the simulator wrote with its own --change-log
  --brokers HOST:PORT,...
  --topic TOPIC              may be given several times
  --dead-letter-topic TOPIC
  --kafka-lib DIR            Kafka's jars, for a machine without kcat
  --acknowledged-only        a change that was never acknowledged may be missing
  --json                     the verdict as one line of JSON

Exit code: 0 all is well, 1 something is lost or out of order, 2 it could not be checked.`;

/** "help", or the arguments. @throws with a sentence for the person who typed them */
export function parseArguments(args: readonly string[]): CheckerArguments | 'help' {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      'change-log': { type: 'string' },
      brokers: { type: 'string' },
      topic: { type: 'string', multiple: true },
      'dead-letter-topic': { type: 'string' },
      'kafka-lib': { type: 'string' },
      'acknowledged-only': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { 'change-log': changeLog, brokers, topic: topics = [] } = values;
  if (!changeLog || !brokers || topics.length === 0) {
    throw new Error('--change-log, --brokers and --topic are needed; --help tells more');
  }
  return {
    changeLog,
    brokers,
    topics,
    deadLetterTopic: values['dead-letter-topic'],
    kafkaLib: values['kafka-lib'],
    acknowledgedOnly: values['acknowledged-only'],
    json: values.json,
  };
}
