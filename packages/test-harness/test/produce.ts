// Writes records into a topic with kcat, for tests of what reads them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RecordToProduce {
  readonly key?: string;
  /** null: a tombstone. */
  readonly value: string | null;
  readonly headers?: readonly (readonly [string, string])[];
  readonly partition?: number;
}

// Cannot occur in the records of a test.
const KEY_END = '\x1f';
const RECORD_END = '\x1e';
const PROGRAM = 'kcat';

/** Resolves when the broker has confirmed the record. */
export async function produce(brokers: string, topic: string, record: RecordToProduce): Promise<void> {
  await produceAll(brokers, topic, [record]);
}

/** Records that share their headers and partition: those of the first. */
export async function produceAll(
  brokers: string,
  topic: string,
  records: readonly RecordToProduce[],
): Promise<void> {
  const [first] = records;
  if (!first) return;
  const hasKeys = first.key !== undefined;
  const args = ['-P', '-b', brokers, '-t', topic, '-D', RECORD_END, '-X', 'acks=all'];
  if (hasKeys) args.push('-K', KEY_END);
  if (first.value === null) args.push('-Z');
  if (first.partition !== undefined) args.push('-p', String(first.partition));
  for (const [name, value] of first.headers ?? []) args.push('-H', `${name}=${value}`);
  const kcat = spawn(PROGRAM, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const lines = records.map(({ key, value }) => (hasKeys ? `${key}${KEY_END}` : '') + (value ?? ''));
  kcat.stdin.end(lines.join(RECORD_END) + RECORD_END);
  const [code] = await once(kcat, 'exit');
  if (code !== 0) throw new Error(`${PROGRAM} could not produce into ${topic}: exit code ${code}`);
}
