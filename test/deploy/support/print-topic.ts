// Prints the records of a topic as JSON lines: for a broker that is reached from another network alone.
import { readTopic } from '@graph2kafka/test-harness';

const [brokers = '', topic = ''] = process.argv.slice(2);
for (const record of await readTopic({ brokers, topic })) {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}
