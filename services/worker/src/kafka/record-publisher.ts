/** What the worker asks of a Kafka client, and what can go wrong, told apart by what has to be done next. */

export type KafkaRecord = {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or bytes in another form; `null` is a tombstone. */
  readonly value: string | Buffer | null;
};

export type RecordPublisher = {
  /**
   * Resolves once every in-sync replica has the record (`acks=all`); rejects with a `PublishError`. Records of one key
   * reach their partition in the order of the calls, also after a rejection: what may have been written is never
   * overtaken by what was published later.
   */
  publish(record: KafkaRecord): Promise<void>;
  /**
   * For the end of the process. Until then a record that may have been written is waited for until its fate is known;
   * from then on it is given up as `unavailable` at the next try that fails.
   */
  waitNoLonger(): void;
  /** Ends what is under way, and every connection; safe to call twice. */
  close(): Promise<void>;
};

export type PublishProblem =
  /** No broker answers, or not in time; the record may or may not have been written. */
  | 'unavailable'
  /** Larger than the broker takes, compressed as well; it never was written. */
  | 'tooLarge'
  /** The broker will never take this record, whatever its size (a key is missing in a compacted topic). */
  | 'invalid'
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
