/** What a lane offers to its partition, and what it tells its callers, by the outcome of each try. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPartitionLane, type PartitionLane } from '../../src/kafka/partition-lane.ts';
import type { PartitionBatch, PartitionWriter, Verdict } from '../../src/kafka/partition-writer.ts';
import { wireRecord } from '../../src/kafka/wire-record.ts';
import { problemOf, recordOf } from '../support/publishers.ts';
import { keptLog } from '../support/silent-log.ts';

const written: Verdict = { kind: 'written' };
const tooLarge: Verdict = { kind: 'tooLarge', error: new Error('too large') };
const again = (mayBeWritten: boolean): Verdict => ({ kind: 'again', error: new Error('away'), mayBeWritten });

/** The keys of each batch that was offered; `decide` is given them and the number of the try, from 1. */
function laneWith(decide: (keys: readonly string[], tried: number) => Verdict) {
  const offered: string[][] = [];
  const writer: PartitionWriter = {
    partitionCount: async () => 1,
    async write({ records }: PartitionBatch) {
      offered.push(records.map(({ key }) => key.toString()));
      return decide(offered.at(-1) ?? [], offered.length);
    },
    close: async () => undefined,
  };
  const settings = { compression: 'gzip', maxRequestBytes: undefined, patienceMs: 1 } as const;
  const lane = createPartitionLane('topic', 0, writer, settings, keptLog());
  onTestFinished(() => lane.close());
  return { lane, offered };
}

const publish = (lane: PartitionLane, key: string) => lane.publish(wireRecord(recordOf('topic', key)));

describe('a lane', () => {
  it('offers a batch that may have been written unchanged until its fate is known, and nothing else', async () => {
    const { lane, offered } = laneWith((_keys, tried) => (tried < 5 ? again(tried === 1) : written));
    const first = publish(lane, 'a');
    await eventually(() => offered.length > 0);
    expect((await problemOf(publish(lane, 'b'))).problem).toBe('unavailable');
    expect(offered.length, 'a is still waited for').toBeLessThan(5);
    await first;
    await publish(lane, 'c');
    expect(offered).toEqual([['a'], ['a'], ['a'], ['a'], ['a'], ['c']]);
  });

  it('does not bring late what nobody waits for and what never was on its way', async () => {
    const { lane, offered } = laneWith((_keys, tried) => (tried < 3 ? again(false) : written));
    expect((await problemOf(publish(lane, 'a'))).problem).toBe('unavailable');
    await eventually(() => publish(lane, 'b'));
    expect(offered.at(-1)).toEqual(['b']);
  });

  it('finds the one that spoils a batch, and keeps the order of the others', async () => {
    const { lane, offered } = laneWith((keys) => (keys.includes('bad') ? tooLarge : written));
    const keys = ['a', 'b', 'c', 'bad', 'd', 'e'];
    const outcomes = await Promise.allSettled(keys.map((key) => publish(lane, key)));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
    ]);
    const accepted = offered.filter((batch) => !batch.includes('bad')).flat();
    expect(accepted).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('tells those of a divided batch whose turn has not come that nobody answers', async () => {
    const { lane } = laneWith((keys) => (keys.length > 2 ? tooLarge : again(true)));
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => problemOf(publish(lane, key)));
    expect((await Promise.all([c, d])).map((each) => each?.problem)).toEqual(Array(2).fill('unavailable'));
    lane.waitNoLonger();
    expect((await Promise.all([a, b])).map((each) => each?.problem)).toEqual(Array(2).fill('unavailable'));
  });

  it('does not offer again what it has given up for the end of the process', async () => {
    const { lane, offered } = laneWith(() => again(true));
    const publishing = problemOf(publish(lane, 'a'));
    await eventually(() => offered.length > 2);
    lane.waitNoLonger();
    expect((await publishing).problem).toBe('unavailable');
    const tries = offered.length;
    expect((await problemOf(publish(lane, 'b'))).problem).toBe('unavailable');
    expect(offered.slice(tries)).toEqual([['b']]);
  });

  it('ends while nobody answers, and takes nothing more', async () => {
    const { lane } = laneWith(() => again(true));
    const publishing = problemOf(publish(lane, 'a'));
    await lane.close();
    expect((await publishing).problem).toBe('unavailable');
    expect((await problemOf(publish(lane, 'b'))).problem).toBe('unavailable');
  });
});
