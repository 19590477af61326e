// A record as it lies in a topic, and the programs that can read it there.
import type { ChildProcess } from './child-process.ts';

/** Bytes are shown as UTF-8 text: ours are JSON, ids and numbers. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  /** null in a tombstone. */
  readonly value: string | null;
  /** The last one where a name occurs twice; null for a header without a value. */
  readonly headers: Readonly<Record<string, string | null>>;
}

export interface ReaderLaunch {
  readonly brokers: string;
  readonly topic: string;
  /** The folder of Kafka's jars. */
  readonly libDir: string;
  /** Stay at the end for what comes; otherwise the program may end there. */
  readonly follow: boolean;
  /** Called in the order of each partition. */
  readonly onRecord: (record: TopicRecord) => void;
  /** Called with what the program wrote that is no record. */
  readonly onUnreadable: (error: unknown) => void;
}

/** Starts a program that reads a topic from its beginning. */
export type LaunchReader = (launch: ReaderLaunch) => Promise<ChildProcess>;

/** Turns what a reader writes into calls of `onRecord`, and of `onUnreadable` where `parse` throws. */
export function recordSink(
  parse: (line: string) => TopicRecord,
  { onRecord, onUnreadable }: Pick<ReaderLaunch, 'onRecord' | 'onUnreadable'>,
): (line: string) => void {
  return (line) => {
    let record: TopicRecord;
    try {
      record = parse(line);
    } catch (error) {
      onUnreadable(error);
      return;
    }
    onRecord(record);
  };
}
