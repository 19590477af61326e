/**
 * A CloudEvent as a Kafka record (Kafka protocol binding 1.0.2). Structured: the whole event is the value. Binary: its
 * data is. The attributes are headers in both, which §3.3.3 allows, so that nobody has to parse a value to route it.
 */
import { Kafka } from 'cloudevents';
import type { KafkaRecord } from '../kafka/record-publisher.ts';
import type { RecordEvent } from './cloud-event.ts';

export type RecordMode = 'structured' | 'binary';

export type EncodeRecord = (topic: string, key: string, event: RecordEvent) => KafkaRecord;

/** Puts something before the value, so that readers know its schema. */
export type FrameValue = (topic: string, event: RecordEvent, value: string) => Buffer;

export function createEncodeRecord(mode: RecordMode, frame?: FrameValue): EncodeRecord {
  return (topic, key, event) => {
    const value = mode === 'structured' ? event.toString() : JSON.stringify(event.data);
    return {
      topic,
      key,
      headers: { ...headersOf(event), 'content-type': CONTENT_TYPE[mode] },
      value: frame ? frame(topic, event, value) : value,
    };
  };
}

const CONTENT_TYPE: Readonly<Record<RecordMode, string>> = {
  structured: 'application/cloudevents+json; charset=utf-8',
  binary: 'application/json',
};

/** Header values are text. The type of the data is the content type, not an attribute of its own (§3.2.1). */
function headersOf(event: RecordEvent): Record<string, string> {
  const { ce_datacontenttype: _, ...headers } = Kafka.binary(event).headers as Record<string, unknown>;
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** What removes the resource from a compacted topic. It has no headers: without a value it is no CloudEvent. */
export function tombstone(topic: string, key: string): KafkaRecord {
  return { topic, key, headers: {}, value: null };
}
