/**
 * The topics as others see them: kcat (librdkafka), Kafka's own console consumer (Java), and Python with the packages
 * cloudevents, confluent-kafka and jsonschema. All three must see the same, and find in it what docs/records.md says.
 */
import { join } from 'node:path';
import { programVersion, readTopic, type TopicRecord } from '@graph2kafka/test-harness';
import { beforeAll, describe, expect, it } from 'vitest';
import { type News, startWithAllKindsOfNews } from './all-kinds-of-news.ts';
import { ensurePython, hasPython, runPython } from './python.ts';

const SCHEMAS = join(import.meta.dirname, '../../docs/schemas');

type ReadEvent = Omit<TopicRecord, 'timestampMs'> & {
  readonly event?: Record<string, unknown> & { readonly data: Record<string, unknown> };
  readonly problems?: readonly string[];
};

const withPython = await hasPython();
const withKcat = (await programVersion('kcat', ['-V'])) !== undefined;

/** Sorted as `readTopic` sorts. */
async function readWithPython(brokers: string, topic: string): Promise<ReadEvent[]> {
  const records = (await runPython('read_events.py', brokers, topic, SCHEMAS)) as ReadEvent[];
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

const withoutTime = ({ timestampMs: _, ...record }: TopicRecord) => record;
const withoutEvent = ({ event: _event, problems: _problems, ...record }: ReadEvent) => record;

/** What the three readers agree on, as Python's packages understand it. */
async function readByAll(news: News, topic: string): Promise<readonly ReadEvent[]> {
  const { brokers } = news.pipeline.stack;
  const [kcat, java] = [
    await readTopic({ brokers, topic, reader: 'kcat' }),
    await readTopic({ brokers, topic, reader: 'console-consumer' }),
  ];
  const python = await readWithPython(brokers, topic);
  expect(java).toEqual(kcat);
  expect(python.map(withoutEvent)).toEqual(kcat.map(withoutTime));
  expect(python.flatMap(({ problems = [] }) => problems)).toEqual([]);
  return python;
}

/** Type, how the data was had, and what is in it; null for a tombstone. */
function shown({ event }: ReadEvent): unknown {
  if (event === undefined) return null;
  const { type, acquisition, data } = event;
  return [String(type).replace('Microsoft.Graph.', ''), acquisition, data.subject ?? Object.keys(data)];
}

function expectAllKinds(news: News, records: readonly ReadEvent[]): void {
  const of = (key: string) => records.filter((record) => record.key === key);
  expect(of(news.changed).map(shown)).toEqual([
    ['EventCreated', 'fetched', 'Réunion budgétaire'],
    ['EventUpdated', 'fetched', 'Réunion déplacée'],
    ['EventUpdated', 'snapshot', 'Réunion déplacée'],
  ]);
  expect(of(news.deleted).map(shown)).toEqual([
    ['EventCreated', 'fetched', 'Cancelled'],
    ['EventDeleted', 'deleted', ['id', '@removed']],
    null,
  ]);
  expect(of(news.refused).map(shown)).toEqual([
    ['EventCreated', 'fetched', 'Secret'],
    ['EventUpdated', 'notification', ['notification']],
    ['EventUpdated', 'snapshot', 'More secret'],
  ]);
  expect(of(news.large).map(shown)).toEqual([
    ['EventCreated', 'reference', ['reference']],
    ['EventUpdated', 'reference', ['reference']],
  ]);
  for (const { key, event } of records) if (event) expect(event.partitionkey).toBe(key);
}

const CONTENT_TYPE: Readonly<Record<string, string>> = {
  structured: 'application/cloudevents+json; charset=utf-8',
  binary: 'application/json',
};

/** The attributes as text, so that nobody has to parse a value to know what it is about. */
function expectHeaders(mode: string, records: readonly ReadEvent[]): void {
  for (const { event, headers } of records) {
    if (event === undefined) continue;
    const { data: _data, datacontenttype, time, ...attributes } = event;
    expect(datacontenttype).toBe('application/json');
    const others = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, String(value)]);
    expect(headers).toEqual({
      'content-type': CONTENT_TYPE[mode],
      ce_time: new Date(String(time)).toISOString(),
      ...Object.fromEntries(others),
    });
  }
}

function expectIds(news: News, records: readonly ReadEvent[]): void {
  const [, updated, again] = records.filter(({ key }) => key === news.changed);
  expect(again?.event?.id, 'the same version is the same news').toBe(updated?.event?.id);
  const tombstone = records.find(({ value }) => value === null);
  expect(tombstone).toMatchObject({ key: news.deleted, headers: {} });
}

describe.skipIf(!withPython || !withKcat)(
  'kcat, Java and Python (skipped where kcat or python3 with venv is missing)',
  () => {
    beforeAll(ensurePython, 600_000);

    it.each(['structured', 'binary'])(
      'read the same records in %s mode, which keep to the published schemas',
      async (mode) => {
        const news = await startWithAllKindsOfNews({ KAFKA_RECORD_MODE: mode });
        const { topic, deadLetterTopic } = news.pipeline.stack;
        const records = await readByAll(news, topic);
        expectAllKinds(news, records);
        expectIds(news, records);
        const letters = await readByAll(news, deadLetterTopic);
        expectHeaders(mode, [...records, ...letters]);
        expect(letters.map(({ event }) => [event?.type, event?.data.stage, event?.data.replayable])).toEqual(
          expect.arrayContaining([
            ['graph2kafka.DeadLetter', 'read', false],
            ['graph2kafka.DeadLetter', 'resync', false],
          ]),
        );
      },
      120_000,
    );
  },
);
