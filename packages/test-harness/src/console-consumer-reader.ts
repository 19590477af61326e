// Reads a topic with Kafka's own console consumer, for machines without kcat.
import { ChildProcess } from './child-process.ts';
import { javaArguments } from './kafka-java.ts';
import { lineSplitter } from './line-splitter.ts';
import { type LaunchReader, recordSink, type TopicRecord } from './topic-record.ts';

// Control characters: JSON, ids and header values of ours hold none in the raw, so each has one meaning.
const FIELD = '\x1f';
const HEADER = '\x1d';
const NULL = '\x02';
const RECORD = '\x1e';
const NO_HEADERS = 'NO_HEADERS';

const FORMAT = {
  'print.timestamp': 'true',
  'print.partition': 'true',
  'print.offset': 'true',
  'print.headers': 'true',
  'print.key': 'true',
  'print.value': 'true',
  'key.separator': FIELD,
  'headers.separator': HEADER,
  'line.separator': RECORD,
  'null.literal': NULL,
};

/** Never ends by itself: whoever follows the offsets knows when it has read enough. */
export const launchConsoleConsumer: LaunchReader = async ({ brokers, topic, libDir, ...sinks }) => {
  const splitter = lineSplitter(recordSink(parseConsumerLine, sinks), RECORD);
  const format = Object.entries(FORMAT).flatMap(([name, value]) => ['--property', `${name}=${value}`]);
  return ChildProcess.start({
    name: "Kafka's console consumer",
    command: 'java',
    arguments: await javaArguments({
      libDir,
      mainClass: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
      arguments: ['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', ...format],
    }),
    onStdout: (chunk) => splitter.push(chunk),
  });
};

// CreateTime:1795439255483 | Partition:1 | Offset:0 | name:value,… or NO_HEADERS | key | value
function parseConsumerLine(line: string): TopicRecord {
  const [time, partition, offset, headers, key, value, ...rest] = line.split(FIELD);
  if (value === undefined || rest.length > 0) throw new Error(`Not a record of six fields: ${line}`);
  return {
    partition: numberAfterColon(partition),
    offset: numberAfterColon(offset),
    timestampMs: numberAfterColon(time),
    key: orNull(key ?? ''),
    value: orNull(value),
    headers: parseHeaders(headers ?? NO_HEADERS),
  };
}

function numberAfterColon(field = ''): number {
  const number = Number(field.slice(field.indexOf(':') + 1));
  if (!Number.isInteger(number)) throw new Error(`Not a number after a colon: ${field}`);
  return number;
}

// A header's name ends at the first colon; the names of CloudEvents and of tracing have none.
function parseHeaders(text: string): Record<string, string | null> {
  if (text === NO_HEADERS) return {};
  const pairs = text.split(HEADER).map((header): [string, string | null] => {
    const colon = header.indexOf(':');
    return [header.slice(0, colon), orNull(header.slice(colon + 1))];
  });
  return Object.fromEntries(pairs);
}

function orNull(text: string): string | null {
  return text === NULL ? null : text;
}
