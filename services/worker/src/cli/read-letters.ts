/** The dead letters of the configured topic, and a sentence for the operator where they cannot be read. */
import { type ReadTopicOptions, readTopic } from '../kafka/read-topic.ts';
import { KafkaSetupError } from '../kafka/topics.ts';
import { kafkaConnectionOf, type ReadingSettings } from './cli-settings.ts';
import { plainText } from './plain-text.ts';
import { type Scan, scanLetters } from './scan-letters.ts';
import type { StoredLetter } from './stored-letter.ts';

/** The topic could not be read to its end. */
export class ReadLettersError extends Error {
  override readonly name = 'ReadLettersError';
}

/** Rejects with a `ReadLettersError`. */
export async function readLetters(
  settings: ReadingSettings,
  onLetter: (letter: StoredLetter) => void,
  options?: ReadTopicOptions,
): Promise<Scan> {
  const { KAFKA_DEAD_LETTER_TOPIC: topic, KAFKA_BROKERS: brokers } = settings;
  try {
    return await scanLetters(readTopic(kafkaConnectionOf(settings), topic, options), onLetter);
  } catch (error) {
    if (error instanceof KafkaSetupError) throw new ReadLettersError(error.message, { cause: error });
    const why = plainText(firstCause(error).message);
    throw new ReadLettersError(
      `cannot read ${topic} from Kafka at ${brokers.join(', ')}: ${why}; cure: \`g2k doctor\` says what is wrong`,
      { cause: error },
    );
  }
}

/** The client packs what happened into how often it was tried. */
function firstCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner instanceof Error ? firstCause(inner) : error;
}
