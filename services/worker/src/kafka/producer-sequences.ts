/**
 * The numbers by which a broker knows a batch that it already has, or one that comes late: producer id, epoch and
 * sequence, per partition. Rules of the idempotent producer as in Kafka's own (KIP-98, KIP-360): a number belongs to a
 * batch until its fate is known; after a loss of the broker's memory a higher epoch begins at 0, and whatever is still
 * on its way with the old one is refused.
 */

export type ProducerIdentity = { readonly id: bigint; readonly epoch: number };

export type ProducerSequences = {
  /** What the next batch of the partition carries; the same again until `advance`. */
  next(topicPartition: string): { readonly identity: ProducerIdentity; readonly sequence: number };
  /** The batch was written. */
  advance(topicPartition: string, records: number): void;
  /** The broker's memory of the partition does not fit ours. */
  beginAnew(topicPartition: string): void;
};

/** Signed numbers of 32 bits on the wire; after the highest comes 0. */
const SEQUENCES = 2 ** 31;

export function createProducerSequences(first: ProducerIdentity): ProducerSequences {
  const partitions = new Map<string, { identity: ProducerIdentity; sequence: number }>();

  function stateOf(topicPartition: string) {
    const state = partitions.get(topicPartition) ?? { identity: first, sequence: 0 };
    partitions.set(topicPartition, state);
    return state;
  }

  return {
    next: stateOf,
    advance(topicPartition, records) {
      const state = stateOf(topicPartition);
      state.sequence = (state.sequence + records) % SEQUENCES;
    },
    beginAnew(topicPartition) {
      const { identity } = stateOf(topicPartition);
      partitions.set(topicPartition, {
        identity: { id: identity.id, epoch: identity.epoch + 1 },
        sequence: 0,
      });
    },
  };
}
