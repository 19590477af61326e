import { describe, expect, it } from 'vitest';
import { ArgumentError, parseCommandLine } from '../command-line.ts';

const parse = (text: string) => parseCommandLine(text.split(' ').filter((word) => word !== ''));

describe('the command line', () => {
  it('takes several rates', () => {
    expect(parse('ack --rate 50,200 --items 3 --json')).toMatchObject({
      benchmark: 'ack',
      json: true,
      options: { rates: [50, 200], items: 3 },
    });
  });

  it('knows the outage as a case of ack', () => {
    expect(parse('ack --beside-outage')).toMatchObject({
      benchmark: 'ackBesideOutage',
      options: { rate: 50 },
    });
  });

  it('knows rich notifications as a case of ack, with full posts at a modest rate', () => {
    expect(parse('ack --rich --rounds 2')).toMatchObject({
      benchmark: 'ackRich',
      options: { rate: 5, seconds: 5, rounds: 2, items: 100 },
    });
  });

  it('holds the variants that are named against what ships', () => {
    const order = parse('price --variants no-sync,everysec');
    expect(order).toMatchObject({
      options: { base: { name: 'shipped' }, variants: [{ name: 'everysec' }, { name: 'no-sync' }] },
    });
  });

  it('compares batches with single fetches, in turn', () => {
    expect(parse('batch --rounds 1 --events 400')).toMatchObject({
      benchmark: 'batch',
      options: { rate: 100, users: 50, seconds: 6, rounds: 1, events: 400 },
    });
  });

  it('knows what the fleet costs on Redis as a case of fleet', () => {
    expect(parse('fleet --seeds 50 --from 101')).toMatchObject({
      benchmark: 'fleet',
      options: { subscriptions: 10_000, days: 30, seeds: 50, from: 101, clocksOffMinutes: 5 },
    });
    expect(parse('fleet --plan')).toMatchObject({ benchmark: 'fleet', options: { isPlanAlone: true } });
    expect(parse('fleet --redis --sizes 100,200')).toMatchObject({
      benchmark: 'fleetRedis',
      options: { sizes: [100, 200], rounds: 30 },
    });
  });

  it('asks for help without a word', () => {
    expect(parse('')).toBe('help');
    expect(parse('price --help')).toBe('help');
  });

  it.each([
    'speed',
    'ack pipeline',
    'ack --rate fast',
    'ack --rate 50,',
    'ack --items 1.5',
    'ack --users 3',
    'price --rate 5',
    'price --variants everything',
    'ack --rounds 3',
    'ack --rich --rate 5,10',
    'ack --rich --beside-outage',
    'pipeline --beside-outage',
    'pipeline --rich',
    'backlog --items 3',
    'batch --owners 3',
    'publishers --rate 3',
    'rich --seconds 3',
    'neighbours --events 20000',
    'throttled --events 20',
    'fleet --sizes 1000',
    'fleet --redis --seeds 3',
    'ack --redis',
    'ack --unheard-of',
  ])('is refused in one sentence: %s', (text) => {
    expect(() => parse(text)).toThrow(ArgumentError);
    expect(() => parse(text)).toThrow(/^[^\n]+\.$/);
  });
});
