/**
 * Reads the topic to its end and prints the table, an event a line; with --follow it goes on and prints each change.
 * KAFKA_BROKERS (localhost:9094) and KAFKA_TOPIC (graph.events) say where.
 */
import { randomUUID } from 'node:crypto';
import { Consumer, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import { CurrentEvents } from './current-events.ts';

const { KAFKA_BROKERS = 'localhost:9094', KAFKA_TOPIC: topic = 'graph.events' } = process.env;
const follow = process.argv.includes('--follow');

// The table is in memory: each start reads all, in a group of its own.
const consumer = new Consumer({
  groupId: `current-events-${randomUUID()}`,
  clientId: 'current-events',
  bootstrapBrokers: KAFKA_BROKERS.split(','),
  deserializers: stringDeserializers,
});
const table = new CurrentEvents();

/** For each partition that holds something, the offset after its last record. */
async function endOffsets(): Promise<Map<number, bigint>> {
  const offsets = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
  return new Map([...offsets.entries()].filter(([, end]) => end > 0n));
}

const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function readRecords(): Promise<void> {
  const unread = await endOffsets();
  if (unread.size === 0 && !follow) return;
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
  });
  process.once('SIGINT', () => void stream.close());
  for await (const { key, value, partition, offset } of stream) {
    const applied = table.apply({ key, value: value ?? null });
    if (follow) print({ applied, key });
    if (offset + 1n >= (unread.get(partition) ?? 0n)) unread.delete(partition);
    if (unread.size === 0 && !follow) break;
  }
}

try {
  await readRecords();
  for (const row of table.rows()) print(row);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`Cannot read topic ${topic} from ${KAFKA_BROKERS}: ${reason}\n`);
  process.exitCode = 1;
} finally {
  await consumer.close(true);
}
