import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/checker/delivery-invariants.ts';
import { atVersion, RunUnderJudgement } from './run-under-judgement.ts';

const RESOURCES = ['users/u/events/a', 'users/u/events/b'];

interface Change {
  readonly resource: number;
  readonly deletes: boolean;
  readonly subscribed: boolean;
  readonly status: number | null;
}

interface Shown {
  readonly resource: number;
  readonly what: 'state' | 'deleted' | 'notification';
  readonly version: number;
  readonly delayMs: number;
  readonly partition: number;
}

interface Life {
  readonly version: number;
  readonly deleted: boolean;
  readonly subscribed: boolean;
  readonly acknowledged: boolean;
}

const change = fc.record<Change>({
  resource: fc.nat(1),
  deletes: fc.boolean(),
  subscribed: fc.boolean(),
  status: fc.constantFrom(202, 202, 503, null),
});

const shown = fc.record<Shown>({
  resource: fc.nat(1),
  what: fc.constantFrom('state', 'state', 'deleted', 'notification'),
  version: fc.integer({ min: 1, max: 6 }),
  delayMs: fc.integer({ min: 0, max: 3_000 }),
  partition: fc.constantFrom(0, 0, 0, 1),
});

/** The same judgement by looking at everything again for each item: quadratic, and plain. */
function judgeNaively(
  changes: readonly Change[],
  records: readonly Shown[],
  deadLettered: readonly number[],
) {
  const found = {
    lostNotifications: 0,
    lostChanges: 0,
    wentBack: 0,
    falseDeletions: 0,
    unknownVersions: 0,
    splitKeys: 0,
  };
  RESOURCES.forEach((_name, resource) => {
    const life = livesOf(changes, resource);
    if (life.length === 0) return;
    const mine = records.filter((record) => record.resource === resource);
    const covers: number[] = [];
    const told: { partition: number; atLeast: number; atMost: number }[] = [];
    for (const record of mine) {
      const before = Math.max(
        0,
        ...told.filter((t) => t.partition === record.partition).map((t) => t.atLeast),
      );
      if (record.what === 'deleted') {
        const deletions = life.filter(({ deleted }) => deleted).map(({ version }) => version);
        if (deletions.length === 0) {
          found.falseDeletions++;
          continue;
        }
        const later = deletions.filter((version) => version >= before);
        const atLeast = later.length > 0 ? Math.min(...later) : Math.max(...deletions);
        const writtenAt = atVersion(record.version) + record.delayMs;
        const atMost = Math.max(atLeast, ...later.filter((version) => atVersion(version) <= writtenAt + 1));
        if (atMost < before) found.wentBack++;
        told.push({ partition: record.partition, atLeast, atMost });
        covers.push(atMost);
      } else if (!life.some(({ version }) => version === record.version)) {
        found.unknownVersions++;
      } else if (record.what === 'notification') {
        covers.push(record.version);
      } else {
        if (record.version < before) found.wentBack++;
        told.push({ partition: record.partition, atLeast: record.version, atMost: record.version });
        covers.push(record.version);
      }
    }
    if (new Set(mine.map(({ partition }) => partition)).size > 1) found.splitKeys++;
    if (deadLettered.includes(resource)) return;
    const isLost = ({ version }: Life) => !covers.some((covered) => covered >= version);
    found.lostNotifications += life.filter((lived) => lived.acknowledged && isLost(lived)).length;
    found.lostChanges += life.filter((lived) => lived.subscribed && isLost(lived)).length;
  });
  return found;
}

function livesOf(changes: readonly Change[], resource: number): Life[] {
  return changes
    .filter((candidate) => candidate.resource === resource)
    .map(({ deletes, subscribed, status }, index) => ({
      version: index + 1,
      deleted: deletes,
      subscribed,
      acknowledged: subscribed && status === 202,
    }));
}

function build(changes: readonly Change[], records: readonly Shown[], deadLettered: readonly number[]) {
  const run = new RunUnderJudgement();
  for (const { resource, deletes, subscribed, status } of changes) {
    run.change(deletes ? 'deleted' : 'updated', { resource: RESOURCES[resource] ?? '', subscribed, status });
  }
  for (const { resource, what, version, delayMs, partition } of records) {
    const options = {
      resource: RESOURCES[resource] ?? '',
      partition,
      timestampMs: atVersion(version) + delayMs,
    };
    if (what === 'state') run.state(version, options);
    else if (what === 'deleted') run.deleted(version, options);
    else run.notificationOnly(version, options);
  }
  for (const resource of deadLettered) {
    run.deadLetter({ key: null, value: JSON.stringify({ resource: RESOURCES[resource] }) });
  }
  return run;
}

describe('check', () => {
  it('agrees with a naive judge on any history', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 12 }),
        fc.array(shown, { maxLength: 12 }),
        fc.uniqueArray(fc.nat(1), { maxLength: 1 }),
        (changes, records, deadLettered) => {
          const { log, records: written, deadLetters } = build(changes, records, deadLettered);
          const { problems } = check(log, written, deadLetters);
          const counts = Object.entries(problems).map(([kind, { count }]) => [kind, count]);
          expect(Object.fromEntries(counts)).toMatchObject(judgeNaively(changes, records, deadLettered));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('finds any single record of a complete history missing, unless a later one covers it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(19), (length, missing) => {
        const run = new RunUnderJudgement();
        for (let version = 1; version <= length; version++) run.change('updated');
        for (let version = 1; version <= length; version++) if (version - 1 !== missing) run.state(version);
        expect(check(run.log, run.records).ok).toBe(missing !== length - 1);
      }),
    );
  });
});
