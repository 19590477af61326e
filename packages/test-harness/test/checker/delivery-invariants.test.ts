import { describe, expect, it } from 'vitest';
import { type CheckOptions, check } from '../../src/checker/delivery-invariants.ts';
import type { Verdict } from '../../src/checker/verdict.ts';
import { atVersion, EVENT, etagOf, RunUnderJudgement, TENANT } from './run-under-judgement.ts';

const OTHER = 'users/8f0e3e42-0d5b-4a5c-9b06-1b5c1c8d1b11/events/AAMkAGI1ab=';

function judge({ log, records, deadLetters }: RunUnderJudgement, options?: CheckOptions): Verdict {
  return check(log, records, deadLetters, options);
}

/** The kinds of problem that were found, with their counts. */
function problemsOf(run: RunUnderJudgement, options?: CheckOptions): Record<string, number> {
  const found = Object.entries(judge(run, options).problems).filter(([, { count }]) => count > 0);
  return Object.fromEntries(found.map(([kind, { count }]) => [kind, count]));
}

const lifeOfAnEvent = () => new RunUnderJudgement().change('created').change('updated').change('deleted');

describe('a good history', () => {
  it('is fine when each change has its record', () => {
    const verdict = judge(lifeOfAnEvent().state(1).state(2).deleted(3));
    expect(verdict.ok).toBe(true);
    expect(verdict.counts).toEqual({
      resources: 1,
      changes: 3,
      subscribedChanges: 3,
      acknowledged: 3,
      records: 3,
      deadLetters: 0,
      duplicates: 0,
      states: 2,
      deletions: 1,
      notificationsOnly: 0,
    });
    expect(verdict.recordsPerChange).toBe(1);
  });

  it('is fine when changes were merged into the latest', () => {
    expect(problemsOf(lifeOfAnEvent().deleted(3))).toEqual({});
  });

  it('is fine when nothing happened', () => {
    const verdict = judge(new RunUnderJudgement());
    expect(verdict).toMatchObject({ ok: true, endToEndMs: undefined, recordsPerChange: undefined });
  });

  it('does not miss what nobody subscribed to', () => {
    expect(problemsOf(new RunUnderJudgement().change('created', { subscribed: false }))).toEqual({});
  });

  it('takes a tombstone for a deletion', () => {
    expect(
      problemsOf(
        lifeOfAnEvent()
          .state(2)
          .raw({ key: `${TENANT}/${EVENT}`, timestampMs: atVersion(4) }),
      ),
    ).toEqual({});
  });

  it('reads CloudEvents in binary mode too', () => {
    const headers = {
      ce_id: '1',
      ce_type: 'Microsoft.Graph.EventCreated',
      ce_source: '/s',
      ce_subject: EVENT,
      ce_tenantid: TENANT,
      ce_resourceversion: etagOf(1),
      ce_acquisition: 'fetched',
    };
    const run = new RunUnderJudgement()
      .change('created')
      .raw({ key: `${TENANT}/${EVENT}`, value: '{}', headers });
    expect(problemsOf(run)).toEqual({});
  });

  it('knows a resource again by its GUIDs in any case', () => {
    const inCapitals = EVENT.replace('8f0e3e42', '8F0E3E42');
    const run = new RunUnderJudgement().change('created', { resource: inCapitals }).state(1);
    expect(problemsOf(run)).toEqual({});
  });
});

describe('what is lost', () => {
  it('finds an acknowledged notification without a record', () => {
    const run = lifeOfAnEvent().state(1);
    expect(problemsOf(run)).toEqual({ lostNotifications: 2, lostChanges: 2, staleLastWord: 1 });
    expect(judge(run).problems.lostNotifications.examples[0]).toBe(
      `${TENANT}/${EVENT}: version 2 was acknowledged, records tell of it up to version 1`,
    );
  });

  it('finds a lost deletion', () => {
    expect(problemsOf(lifeOfAnEvent().state(1).state(2))).toEqual({
      lostNotifications: 1,
      lostChanges: 1,
      staleLastWord: 1,
    });
  });

  it.each([null, 503, 400])(
    'does not hold a delivery answered %s against the product, but misses the change',
    (status) => {
      const run = new RunUnderJudgement().change('created').state(1).change('updated', { status });
      expect(problemsOf(run)).toEqual({ lostChanges: 1 });
      expect(problemsOf(run, { acknowledgedOnly: true })).toEqual({});
      expect(judge(run).problems.lostChanges.examples[0]).toContain('version 2 was never acknowledged');
    },
  );

  it('does not take the record of another resource, whose id differs by case only, for cover', () => {
    const run = new RunUnderJudgement().change('created').change('created', { resource: OTHER });
    expect(problemsOf(run.state(1))).toEqual({ lostNotifications: 1, lostChanges: 1, staleLastWord: 1 });
  });

  it('counts a record that carries the notification as cover', () => {
    expect(problemsOf(lifeOfAnEvent().state(1).notificationOnly(3))).toEqual({});
    expect(problemsOf(lifeOfAnEvent().state(1).notificationOnly(2))).toMatchObject({ lostNotifications: 1 });
  });

  it.each([
    ['its key', { key: `${TENANT}/${EVENT}`, value: null }],
    ['a resource', { key: null, value: JSON.stringify({ resource: EVENT }) }],
    [
      'a resource in Graph’s spelling',
      {
        key: null,
        value: JSON.stringify({ resource: `Users('${EVENT.split('/')[1]}')/Events('AAMkAGI1aB=')` }),
      },
    ],
    ['a resource within a CloudEvent', { key: 'x', value: JSON.stringify({ data: { resource: EVENT } }) }],
  ])('counts a dead letter that names the resource by %s as cover', (_how, letter) => {
    expect(problemsOf(lifeOfAnEvent().deadLetter(letter))).toEqual({});
  });

  it('does not count a dead letter of another resource as cover', () => {
    const run = lifeOfAnEvent().deadLetter({ key: `${TENANT}/${OTHER}`, value: 'not JSON' });
    expect(problemsOf(run)).toMatchObject({ lostNotifications: 3 });
  });
});

describe('order', () => {
  it('finds a record that shows an older version after a newer one', () => {
    const run = lifeOfAnEvent().state(2).state(1).deleted(3);
    expect(problemsOf(run)).toEqual({ wentBack: 1 });
    expect(judge(run).problems.wentBack.examples[0]).toContain('offset 1 shows version 1 after version 2');
  });

  it('finds a last word that is older than an earlier record', () => {
    expect(problemsOf(lifeOfAnEvent().state(1).deleted(3).state(2))).toEqual({
      wentBack: 1,
      staleLastWord: 1,
    });
  });

  it('does not mind the same version twice', () => {
    expect(problemsOf(lifeOfAnEvent().state(2).state(2).deleted(3))).toEqual({});
  });

  it('does not mind a late notification, which shows no state', () => {
    expect(problemsOf(lifeOfAnEvent().state(1).deleted(3).notificationOnly(2))).toEqual({});
  });

  it('finds records of one resource in two partitions', () => {
    const run = lifeOfAnEvent().state(1).state(2, { partition: 1 }).deleted(3);
    expect(problemsOf(run)).toEqual({ splitKeys: 1 });
  });

  it('lets two topics have a resource in partitions of their own', () => {
    const run = lifeOfAnEvent().deleted(3, { topic: 'a', partition: 1 }).state(2, { topic: 'b' });
    expect(problemsOf(run)).toEqual({});
  });

  it('finds a key that is not the resource', () => {
    const run = lifeOfAnEvent().deleted(3, { key: `${TENANT}/${OTHER}` });
    expect(problemsOf(run)).toEqual({ misaddressed: 1 });
  });
});

describe('what must not be there', () => {
  it('finds a record of a resource that the log never names', () => {
    const run = lifeOfAnEvent().deleted(3).state(1, { resource: OTHER });
    expect(problemsOf(run)).toEqual({ forgeries: 1 });
  });

  it('finds a version that never was', () => {
    expect(problemsOf(lifeOfAnEvent().state(4).deleted(3))).toEqual({ unknownVersions: 1 });
  });

  it('finds a deletion that never was', () => {
    const run = new RunUnderJudgement().change('created').state(1).deleted(1);
    expect(problemsOf(run)).toEqual({ falseDeletions: 1 });
  });

  it.each(['', 'no JSON', '[]', '{"id":1}'])('finds a record that is no CloudEvent: %j', (value) => {
    expect(problemsOf(lifeOfAnEvent().deleted(3).raw({ key: 'k', value }))).toEqual({ unreadable: 1 });
  });

  it('counts duplicates without complaint', () => {
    const verdict = judge(lifeOfAnEvent().state(1).state(1).deleted(3).deleted(3));
    expect(verdict).toMatchObject({ ok: true, counts: { duplicates: 2 } });
  });

  it('refuses a log into which two runs have written', () => {
    const { log } = new RunUnderJudgement().change('created');
    expect(() => check([...log, ...log], [])).toThrow(/version 1 .* after version 1/);
  });
});

describe('a resource that comes back', () => {
  const restored = () => lifeOfAnEvent().change('created').change('deleted');

  it('may be deleted twice, with a record for each step', () => {
    expect(problemsOf(restored().state(2).deleted(3).state(4).deleted(5))).toEqual({});
  });

  it('may have its second life merged into one deletion', () => {
    expect(problemsOf(restored().state(2).deleted(5))).toEqual({});
  });

  it('finds the second deletion lost when only the first was reported', () => {
    expect(problemsOf(restored().state(2).deleted(3))).toMatchObject({ lostNotifications: 2 });
    expect(problemsOf(restored().state(2).deleted(3).state(4))).toMatchObject({
      lostNotifications: 1,
      staleLastWord: 1,
    });
  });

  it('finds that a deletion is repeated after the restoration', () => {
    const run = lifeOfAnEvent().change('created').deleted(3).state(4).deleted(3);
    expect(problemsOf(run)).toEqual({ wentBack: 1, staleLastWord: 1 });
  });

  it('may have a deletion reported late, by a record that already speaks for the second', () => {
    expect(
      problemsOf(
        restored()
          .deleted(3, { timestampMs: atVersion(6) })
          .state(4)
          .deleted(5),
      ),
    ).toEqual({});
  });
});

describe('times and examples', () => {
  it('measures from each change to the first record that covers it', () => {
    const run = lifeOfAnEvent()
      .state(2, { timestampMs: atVersion(2) + 40 })
      .deleted(3, { timestampMs: atVersion(3) + 70 })
      .deleted(3, { timestampMs: atVersion(3) + 900 });
    // The first change waited for the record of the second: 1000 ms more.
    expect(judge(run).endToEndMs).toEqual({ count: 3, p50: 70, p99: 1040, max: 1040 });
  });

  it('takes the earlier record where two topics cover a change', () => {
    const run = new RunUnderJudgement()
      .change('created')
      .state(1, { topic: 'slow', timestampMs: atVersion(1) + 500 })
      .state(1, { topic: 'quick', timestampMs: atVersion(1) + 20 });
    expect(judge(run).endToEndMs).toMatchObject({ count: 1, max: 20 });
  });

  it('tells as many examples as asked for, and counts the rest', () => {
    const run = new RunUnderJudgement();
    for (let i = 0; i < 30; i++) run.change('created', { resource: `users/u/events/${i}` });
    expect(judge(run).problems.lostNotifications).toMatchObject({ count: 30, examples: { length: 20 } });
    expect(judge(run, { examplesPerProblem: 3 }).problems.lostNotifications.examples).toHaveLength(3);
  });
});
