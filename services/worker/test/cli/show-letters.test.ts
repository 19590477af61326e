/** How dead letters look: nothing in them may play with the terminal, nothing gets lost in JSON. */
import { describe, expect, it } from 'vitest';
import { createNewestLetters } from '../../src/cli/newest-letters.ts';
import { detailsOf, jsonOf, tableOf } from '../../src/cli/show-letters.ts';
import type { StoredLetter } from '../../src/cli/stored-letter.ts';

const HOSTILE = 'a\u001b[2J\u009b1mb\u202ec\u200b\nd\ud800';

function letterAt(offset: number, more: Partial<StoredLetter> = {}): StoredLetter {
  return {
    at: `0:${offset}`,
    partition: 0,
    offset,
    writtenAt: 1000 * offset,
    id: `id-${offset}`,
    tenantId: 'tenant',
    resource: 'users/u/events/e',
    subscriptionId: 'sub',
    subscription: undefined,
    stage: 'run',
    reason: 'because',
    attempts: 2,
    replayable: true,
    receivedAt: 500,
    notifications: 3,
    notification: undefined,
    ...more,
  };
}

describe('the table', () => {
  it('has a line for each, columns below each other, and ages in the largest sensible unit', () => {
    const ages = [5, 200, 10_000, 400_000].map((seconds) =>
      letterAt(seconds, { writtenAt: -1000 * seconds }),
    );
    const lines = tableOf(ages, 0);
    expect(lines[0]).toMatch(
      /^AT +AGE +STAGE +REPLAY +TRIES +NOTIFICATIONS +SUBSCRIPTION +RESOURCE +REASON$/,
    );
    expect(lines.slice(1).map((line) => line.split(/ +/)[1])).toEqual(['5s', '3m', '2h', '4d']);
    const column = lines[0]?.indexOf('RESOURCE') ?? 0;
    for (const line of lines.slice(1)) expect(line.slice(column)).toMatch(/^users\/u\/events\/e +because$/);
  });

  it('shortens a long resource in the middle, since those of an owner differ at the end', () => {
    const resource = `users/u/events/${'A'.repeat(150)}-the-end`;
    const [, line = ''] = tableOf([letterAt(1, { resource })], 0);
    expect(line).toMatch(/users\/u\/events\/A+…A+-the-end/);
    expect(line).not.toContain('A'.repeat(80));
  });
});

describe('what others wrote', () => {
  it('cannot move the cursor or reverse the text of a table or of the details', () => {
    const hostile = letterAt(1, {
      reason: HOSTILE,
      resource: HOSTILE,
      notification: { resource: HOSTILE } as never,
    });
    for (const text of [...tableOf([hostile], 0), ...detailsOf(hostile)]) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('is the same in JSON, on one line and without such characters', () => {
    const text = jsonOf(letterAt(1, { reason: HOSTILE }));
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(text)).toMatchObject({
      at: '0:1',
      reason: HOSTILE,
      written: '1970-01-01T00:00:01.000Z',
    });
  });
});

describe('the newest letters', () => {
  it('are the last ones in time, in order, however they came', () => {
    const newest = createNewestLetters(3);
    for (let n = 0; n < 1000; n++) newest.add(letterAt((n * 7919) % 1000));
    expect(newest.list().map(({ offset }) => offset)).toEqual([997, 998, 999]);
    expect(newest.added).toBe(1000);
  });
});
