// Reads a topic with kcat (librdkafka), which writes each record as a line of JSON.
import { ChildProcess } from './child-process.ts';
import { lineSplitter } from './line-splitter.ts';
import { programVersion } from './run-program.ts';
import { type LaunchReader, recordSink, type TopicRecord } from './topic-record.ts';

interface KcatLine {
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  /** Name, value, name, value …; absent where there are none. */
  readonly headers?: readonly (string | null)[];
  readonly key: string | null;
  readonly payload: string | null;
}

/** Whether kcat is on PATH and was built with JSON output. */
export async function hasKcat(): Promise<boolean> {
  const version = await programVersion('kcat', ['-V']);
  return version?.includes('JSON') ?? false;
}

/** Without `follow` it ends when it has reached the end of every partition. */
export const launchKcat: LaunchReader = ({ brokers, topic, follow, ...sinks }) => {
  const splitter = lineSplitter(recordSink(parseKcatLine, sinks));
  // While it may wait for more, kcat takes a second to see that there is no more; 10 ms makes that 35 ms.
  const untilWhen = follow ? ['-u'] : ['-e', '-X', 'fetch.wait.max.ms=10'];
  return ChildProcess.start({
    name: 'kcat',
    command: 'kcat',
    arguments: ['-C', '-q', '-J', ...untilWhen, '-b', brokers, '-t', topic, '-o', 'beginning'],
    onStdout: (chunk) => splitter.push(chunk),
  });
};

function parseKcatLine(line: string): TopicRecord {
  const { partition, offset, ts, headers = [], key, payload } = JSON.parse(line) as KcatLine;
  return { partition, offset, timestampMs: ts, key, value: payload, headers: inPairs(headers) };
}

function inPairs(namesAndValues: readonly (string | null)[]): Record<string, string | null> {
  const pairs: [string, string | null][] = [];
  for (let i = 0; i < namesAndValues.length; i += 2) {
    pairs.push([namesAndValues[i] ?? '', namesAndValues[i + 1] ?? null]);
  }
  return Object.fromEntries(pairs);
}
