/** The merge table, row by row, for a whole mailbox and for a partial view. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeEntries, type View } from '../../src/inbox/merge-entries.ts';
import { changeNews, entry, folder, wholeMailbox } from '../support/taken-entry.ts';

type Change = 'created' | 'updated' | 'deleted';

const merge = (changes: readonly Change[], view: View) =>
  mergeEntries(
    changes.map((change, i) => entry(change, i + 1)),
    () => view,
  );

describe('entries of one resource and one wanted subscription', () => {
  const rows: [Change[], whole: object, partial: object][] = [
    [['updated'], { intent: 'fetch', created: false }, { intent: 'fetch', created: false }],
    [['created'], { intent: 'fetch', created: true }, { intent: 'fetch', created: true }],
    [['created', 'updated'], { intent: 'fetch', created: true }, { intent: 'fetch', created: true }],
    [['updated', 'created'], { intent: 'fetch', created: true }, { intent: 'fetch', created: true }],
    [['deleted'], { intent: 'deleted' }, { intent: 'confirmDeletion' }],
    [['updated', 'deleted'], { intent: 'deleted' }, { intent: 'confirmDeletion' }],
    [['created', 'updated', 'deleted'], { intent: 'deleted' }, { intent: 'confirmDeletion' }],
    [['deleted', 'updated'], { intent: 'fetch' }, { intent: 'fetch' }],
    [['deleted', 'created'], { intent: 'fetch' }, { intent: 'fetch' }],
    [['deleted', 'created', 'deleted'], { intent: 'deleted' }, { intent: 'confirmDeletion' }],
  ];

  it.each(rows)('%j come to one item, whose intent depends on the view', (changes, whole, partial) => {
    const endsDeleted = changes.at(-1) === 'deleted';
    expect(merge(changes, wholeMailbox)).toMatchObject([{ ...whole, leavesView: false }]);
    expect(merge(changes, folder)).toMatchObject([{ ...partial, leavesView: endsDeleted }]);
  });

  it('are told as they are where nothing is to be read, but for deletions that mean "gone"', () => {
    const intents = (changes: readonly Change[], view: View) =>
      merge(changes, { ...view, notificationOnly: true }).map(({ intent }) => intent);
    expect(intents(['created', 'updated'], wholeMailbox)).toEqual(['tell']);
    expect(intents(['updated', 'deleted'], wholeMailbox)).toEqual(['deleted']);
    expect(intents(['updated', 'deleted'], folder)).toEqual(['tell']);
  });

  it('are refused apart instead of told where they carry the clientState of another subscription', () => {
    const view = { ...wholeMailbox, notificationOnly: true, nonce: 'of the subscription' };
    const of = (nonce: string, seq: number, changeType: Change) =>
      entry(changeType, seq, { news: changeNews({ nonce, changeType }) });
    const items = mergeEntries(
      [
        of('of the subscription', 1, 'created'),
        of('of another', 2, 'deleted'),
        of('of the subscription', 3, 'updated'),
        of('of another', 4, 'deleted'),
      ],
      () => view,
    );
    expect(items).toMatchObject([
      { intent: 'tell', seqs: ['1', '3'], created: true, latest: { changeType: 'updated' } },
      { intent: 'refuse', seqs: ['2', '4'] },
    ]);
  });

  it('mark what ends in "deleted" of a partial view as having left the view, and nothing else', () => {
    expect(merge(['updated', 'deleted'], folder)).toMatchObject([{ leavesView: true }]);
    expect(merge(['deleted', 'updated'], folder)).toMatchObject([{ leavesView: false }]);
  });

  it('are read the same when the inbox has joined them: the last one decides', () => {
    const burst = { created: true, deleted: true, count: 7 };
    const intents = (last: Change, view: View) =>
      mergeEntries([entry(last, 1, { ...burst, last })], () => view).map(({ intent }) => intent);
    expect(intents('deleted', wholeMailbox)).toEqual(['deleted']);
    expect(intents('updated', wholeMailbox)).toEqual(['fetch']);
    expect(intents('deleted', folder)).toEqual(['confirmDeletion']);
  });

  it('keep the first receipt, the newest news and the number of notifications', () => {
    const [item, ...others] = mergeEntries(
      [
        entry('created', 1, { count: 3, firstReceivedAt: 100, lastReceivedAt: 180 }),
        // Redelivered by Graph: appended later, received earlier.
        entry('updated', 2, {
          count: 2,
          firstReceivedAt: 90,
          lastReceivedAt: 200,
          news: changeNews({ etag: 'new' }),
        }),
      ],
      () => wholeMailbox,
    );
    expect(others).toEqual([]);
    expect(item).toMatchObject({
      seqs: ['1', '2'],
      count: 5,
      firstReceivedAt: 90,
      lastReceivedAt: 200,
      latest: { etag: 'new' },
    });
  });
});

describe('entries of several subscriptions', () => {
  it('are two items where two wanted subscriptions look at one resource', () => {
    const views: Record<string, View> = { a: wholeMailbox, b: folder };
    const items = mergeEntries(
      [
        entry('updated', 1, { subscriptionId: 'a' }),
        entry('deleted', 2, { subscriptionId: 'b' }),
        entry('created', 3, { subscriptionId: 'a' }),
      ],
      (id) => views[id] as View,
    );
    expect(items).toMatchObject([
      { view: wholeMailbox, seqs: ['1', '3'], created: true, intent: 'fetch' },
      { view: folder, seqs: ['2'], created: false, intent: 'confirmDeletion' },
    ]);
  });

  it('are one item where a wanted subscription was replaced by another id', () => {
    const items = mergeEntries(
      [
        entry('created', 1, { subscriptionId: 'replaced' }),
        entry('deleted', 2, { subscriptionId: 'its-heir' }),
      ],
      () => wholeMailbox,
    );
    expect(items).toMatchObject([
      { seqs: ['1', '2'], intent: 'deleted', latest: { subscriptionId: 'its-heir' } },
    ]);
  });

  it('stand for themselves where they are not known', () => {
    const unknown: View = { wish: undefined, topic: 'graph.events', whole: false };
    const items = mergeEntries(
      [entry('updated', 1, { subscriptionId: 'x' }), entry('updated', 2, { subscriptionId: 'y' })],
      () => unknown,
    );
    expect(items.map(({ seqs }) => seqs)).toEqual([['1'], ['2']]);
  });

  it('end in exactly one item each, whatever comes in whatever order', () => {
    const change = fc.constantFrom<Change>('created', 'updated', 'deleted');
    const arrival = fc.record({ change, subscriptionId: fc.constantFrom('a', 'b', 'c') });
    // a and b serve one wish, c is not known.
    const viewOf = (id: string): View => (id === 'c' ? { ...wholeMailbox, wish: undefined } : wholeMailbox);
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 1, maxLength: 20 }), (arrivals) => {
        const entries = arrivals.map(({ change: type, subscriptionId }, i) =>
          entry(type, i + 1, { subscriptionId }),
        );
        const items = mergeEntries(entries, viewOf);
        const seqs = items.flatMap((item) => item.seqs);
        expect(seqs.toSorted()).toEqual(entries.map(({ seq }) => seq).toSorted());
        expect(items.reduce((sum, { count }) => sum + count, 0)).toBe(entries.length);
      }),
    );
  });
});

describe('entries that carry their state', () => {
  const rich = (change: Change, seq: number, contentId = `content-${seq}`) =>
    entry(change, seq, { news: changeNews({ changeType: change, contentId, nonce: 'ours' }) });
  const all = (_contentId: string) => true;
  const intents = (entries: readonly ReturnType<typeof entry>[], isThere = all, view = wholeMailbox) =>
    mergeEntries(entries, () => view, isThere).map(({ intent, seqs }) => [intent, seqs.join()]);

  it('are an item each, in order', () => {
    expect(intents([rich('created', 1), rich('updated', 2), rich('updated', 3)])).toEqual([
      ['open', '1'],
      ['open', '2'],
      ['open', '3'],
    ]);
  });

  it('are followed by the deletion that came after them', () => {
    expect(intents([rich('updated', 1), entry('deleted', 2)])).toEqual([
      ['open', '1'],
      ['deleted', '2'],
    ]);
  });

  it('are covered by one look from the first on that has to be looked up, since that is newer than all', () => {
    expect(
      intents([rich('updated', 1), entry('updated', 2), rich('updated', 3), entry('updated', 4)]),
    ).toEqual([
      ['open', '1'],
      ['fetch', '2,3,4'],
    ]);
    expect(intents([entry('deleted', 1), rich('created', 2)])).toEqual([['fetch', '1,2']]);
  });

  it('are looked up where their content is gone', () => {
    const isThere = (id: string) => id !== 'content-2';
    expect(intents([rich('updated', 1), rich('updated', 2), rich('updated', 3)], isThere)).toEqual([
      ['open', '1'],
      ['fetch', '2,3'],
    ]);
  });

  it('are believed to be deletions without a state, whatever they carry', () => {
    expect(intents([rich('deleted', 1)])).toEqual([['deleted', '1']]);
  });
});

describe('an entry that a delta query has brought', () => {
  const found = (change: Change, count = 1) =>
    entry(change, 1, { count, news: changeNews({ changeType: change, by: 'delta' }) });

  it('is looked up, a removal too, and is no notification', () => {
    const [removed] = mergeEntries([found('deleted')], () => wholeMailbox);
    expect(removed).toMatchObject({ intent: 'confirmDeletion', leavesView: false, count: 0 });
    const [changed] = mergeEntries([found('updated', 3)], () => wholeMailbox);
    expect(changed).toMatchObject({ intent: 'fetch', count: 2 });
  });
});

describe('an entry with the clientState of another subscription', () => {
  const view = { ...wholeMailbox, nonce: 'ours' };
  const of = (change: Change, nonce: string | undefined, contentId?: string) =>
    entry(change, 1, {
      news: changeNews({
        changeType: change,
        ...(nonce === undefined ? {} : { nonce }),
        ...(contentId === undefined ? {} : { contentId }),
      }),
    });
  const intentOf = (one: ReturnType<typeof entry>) =>
    mergeEntries(
      [one],
      () => view,
      () => true,
    ).map(({ intent, leavesView }) => ({ intent, leavesView }));

  it('is looked up: neither its deletion nor the state that it carries is believed', () => {
    for (const nonce of ['another', undefined]) {
      expect(intentOf(of('deleted', nonce))).toEqual([{ intent: 'confirmDeletion', leavesView: false }]);
      expect(intentOf(of('updated', nonce, 'content-1'))).toEqual([{ intent: 'fetch', leavesView: false }]);
    }
  });

  it('is told from one with its own', () => {
    expect(intentOf(of('deleted', 'ours'))).toEqual([{ intent: 'deleted', leavesView: false }]);
    expect(intentOf(of('updated', 'ours', 'content-1'))).toEqual([{ intent: 'open', leavesView: false }]);
  });
});
