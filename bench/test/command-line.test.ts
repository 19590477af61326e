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

  it('holds the variants that are named against what ships', () => {
    const order = parse('price --variants no-sync,everysec');
    expect(order).toMatchObject({
      options: { base: { name: 'shipped' }, variants: [{ name: 'everysec' }, { name: 'no-sync' }] },
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
    'pipeline --beside-outage',
    'backlog --items 3',
    'publishers --rate 3',
    'rich --seconds 3',
    'neighbours --events 20000',
    'ack --unheard-of',
  ])('is refused in one sentence: %s', (text) => {
    expect(() => parse(text)).toThrow(ArgumentError);
    expect(() => parse(text)).toThrow(/^[^\n]+\.$/);
  });
});
