/**
 * What a broker's error code means for the batch it answers. Source: org.apache.kafka.common.protocol.Errors, by the
 * names that both clients use too.
 */
import type { Verdict } from './partition-writer.ts';

const KINDS: Readonly<Record<string, 'tooLarge' | 'invalid' | 'refused'>> = {
  MESSAGE_TOO_LARGE: 'tooLarge',
  RECORD_LIST_TOO_LARGE: 'tooLarge',
  INVALID_RECORD: 'invalid',
  INVALID_TIMESTAMP: 'invalid',
  INVALID_TOPIC_EXCEPTION: 'refused',
  TOPIC_AUTHORIZATION_FAILED: 'refused',
  CLUSTER_AUTHORIZATION_FAILED: 'refused',
  INVALID_REQUIRED_ACKS: 'refused',
  POLICY_VIOLATION: 'refused',
  UNSUPPORTED_COMPRESSION_TYPE: 'refused',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'refused',
};

/** The leader appended the batch before it found that replicas lag: it will count as written once they have it. */
const APPENDED = new Set(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']);

/**
 * A code that is not known here may pass: the batch is offered again. So may a partition that its former leader says it
 * does not know; whether the topic is gone is told by fresh metadata.
 */
export function verdictOf(code: string, error: Error): Verdict {
  // The broker has these sequence numbers already: an earlier try came through.
  if (code === 'DUPLICATE_SEQUENCE_NUMBER') return { kind: 'written' };
  const kind = KINDS[code];
  if (kind) return { kind, error };
  return { kind: 'again', error, mayBeWritten: APPENDED.has(code) };
}

const TOPIC_REFUSALS = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
]);

/** Of a topic's description. */
export function isTopicRefusal(code: string | undefined): boolean {
  return code !== undefined && TOPIC_REFUSALS.has(code);
}
