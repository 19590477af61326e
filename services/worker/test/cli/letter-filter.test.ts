/** The filter's grammar: what it means, and what is said of what it is not. */
import { describe, expect, it } from 'vitest';
import { parseFilters } from '../../src/cli/letter-filter.ts';
import type { StoredLetter } from '../../src/cli/stored-letter.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const NOW = Date.UTC(2026, 10, 23, 12);

const letter: StoredLetter = {
  at: '3:1042',
  partition: 3,
  offset: 1042,
  writtenAt: NOW - 3_600_000,
  id: 'x-Y_z',
  tenantId: 'contoso.example',
  resource: 'users/u1/events/AAMk=',
  subscriptionId: 'sub-1',
  subscription: 'calendars/u1',
  stage: 'publish',
  reason: 'larger than "Kafka" takes, by far (1.5 MB)',
  attempts: 0,
  replayable: true,
  receivedAt: NOW - 7_200_000,
  notifications: 1,
  notification: undefined,
};

const matches = (...filters: string[]) => parseFilters(filters, NOW)(letter);

describe('a filter', () => {
  it('that is not there matches everything', () => expect(matches()).toBe(true));

  it.each([
    'stage=publish',
    'stage!=run',
    'stage=p*',
    'id=x-Y_z',
    'id=3:1042',
    'resource=users/u1/*',
    'resource=*/events/*',
    'resource=Users/u1/Events/AAMk=',
    "resource=users('u1')/events('AAMk=')",
    'resource!=users/u2/*',
    'subscription=sub-1',
    'subscription=calendars/*',
    'tenant=contoso.example',
    'reason~KAFKA',
    'reason~(1.5',
    'reason="larger than \\"Kafka\\" takes, by far (1.5 MB)"',
    'replayable=true',
    'since=2h',
    'since=61m',
    'since=2026-11-23T11:00:00Z',
    'since=2026-11-23',
    'before=30m',
    'since=2h,before=30m',
    ' stage = publish , reason ~ "takes, by" ,',
  ])('%s matches', (filter) => expect(matches(filter)).toBe(true));

  it.each([
    'stage=run',
    'stage!=publish',
    'id=3:1043',
    'resource=users/u1',
    'resource=users/u1/events/aamk=',
    'resource=users/u2/*',
    'resource=users.u1*',
    'subscription!=calendars/u1',
    'reason~"by, far"',
    'replayable=false',
    'since=30m',
    'before=2h',
    'before=2026-11-23T11:00:00Z',
    'stage=publish,reason~timeout',
  ])('%s does not match', (filter) => expect(matches(filter)).toBe(false));

  it('given twice has to match twice', () => {
    expect(matches('stage=publish', 'since=2h')).toBe(true);
    expect(matches('stage=publish', 'since=1m')).toBe(false);
  });

  it.each([
    ['stag=run', 'no field "stag"'],
    ['__proto__=1', '"__proto__=1" is no term'],
    ['toString=1', 'no field "toString"'],
    ['run', '"run" is no term'],
    ['', '"" is no term'],
    ['stage=run,,reason~x', '",reason~x" is no term'],
    ['stage=', 'stage has no value'],
    ['reason~a"b', '"reason~a\\"b" is no term'],
    ['reason="a', 'is no term'],
    ['stage=fetched', 'no stage "fetched"; stages are read, verify, run, publish, resync'],
    ['since=yesterday', 'since=yesterday: write how long ago'],
    ['since=2026-11-23T12:00', 'since=2026-11-23T12:00: write how long ago'],
    ['before=2026-13-45', 'before=2026-13-45: write how long ago'],
    ['since~2h', 'since goes with = alone'],
    ['replayable=yes', 'replayable is true or false'],
  ])('%j is refused with what is wrong', (filter, problem) => {
    const parse = () => parseFilters([filter], NOW);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(problem);
  });
});
