/** What the worker asks of a Kafka client, and what can go wrong, told apart by what has to be done next. */

export type KafkaRecord = {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; `null` is a tombstone. */
  readonly value: string | null;
};

export type RecordPublisher = {
  /** Resolves once every in-sync replica has the record (`acks=all`); rejects with a `PublishError`. */
  publish(record: KafkaRecord): Promise<void>;
  close(): Promise<void>;
};

export type PublishProblem =
  /** No broker answers, or not in time; the record may or may not have been written. */
  | 'unavailable'
  /** The broker refuses this record for its size; it never was written. */
  | 'tooLarge'
  /** The topic is not there, or writing to it is not allowed. */
  | 'refused';

export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly problem: PublishProblem;

  constructor(problem: PublishProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
