/** The numbers by which a broker knows a batch. */
import { expect, it } from 'vitest';
import { createProducerSequences } from '../../src/kafka/producer-sequences.ts';

const start = () => createProducerSequences({ id: 7n, epoch: 0 });

it('stay the same until the batch is known to be written, for each partition apart', () => {
  const numbers = start();
  expect(numbers.next('a:0')).toMatchObject({ identity: { id: 7n, epoch: 0 }, sequence: 0 });
  expect(numbers.next('a:0').sequence).toBe(0);
  numbers.advance('a:0', 3);
  expect([numbers.next('a:0').sequence, numbers.next('a:1').sequence]).toEqual([3, 0]);
});

it('begin at 0 in a higher epoch where the broker has forgotten them, and only for that partition', () => {
  const numbers = start();
  numbers.advance('a:0', 3);
  numbers.advance('a:1', 4);
  numbers.beginAnew('a:0');
  expect(numbers.next('a:0')).toMatchObject({ identity: { id: 7n, epoch: 1 }, sequence: 0 });
  expect(numbers.next('a:1')).toMatchObject({ identity: { id: 7n, epoch: 0 }, sequence: 4 });
});

it('go on at 0 after the highest number that the protocol has', () => {
  const numbers = start();
  numbers.advance('a:0', 2 ** 31 - 2);
  numbers.advance('a:0', 3);
  expect(numbers.next('a:0').sequence).toBe(1);
});
