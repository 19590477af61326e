import { describe, expect, it } from 'vitest';
import { acceptNotifications } from '../src/accept-notifications.ts';
import { change, forged, lifecycle, SECRET, SUBSCRIPTION, TENANT, USER } from './notifications.ts';

const clientStates = { secrets: [SECRET], accepted: ['made elsewhere'] };
const AT = 1_795_000_000_000;
const accept = (...items: readonly unknown[]) => acceptNotifications(items, clientStates, AT);

describe('acceptNotifications', () => {
  it('makes an entry of each change, with the nonce of its clientState', () => {
    const { entries, ...counts } = accept(change(), change({}, { event: 'e2' }));
    expect(counts).toEqual({ forged: 0, unreadable: 0 });
    expect(entries).toMatchObject([
      {
        owner: `${TENANT}/users/${USER}`,
        resource: `users/${USER}/events/e1`,
        receivedAt: AT,
        news: { kind: 'change', subscriptionId: SUBSCRIPTION, nonce: 'nonce-of-these-tests' },
      },
      { resource: `users/${USER}/events/e2` },
    ]);
  });

  it('makes an entry of each lifecycle notification, also beside changes', () => {
    const { entries } = accept(lifecycle('missed'), change(), lifecycle('subscriptionRemoved'));
    expect(entries.map(({ news }) => news.kind)).toEqual(['lifecycle', 'change', 'lifecycle']);
  });

  it('accepts a literal clientState, without a nonce', () => {
    const { entries } = accept(change({ clientState: 'made elsewhere' }));
    expect(entries).toHaveLength(1);
    expect(entries[0]?.news).not.toHaveProperty('nonce');
  });

  it.each([
    ['a guessed clientState', { clientState: 'v1.guessed.guessed' }],
    ['no clientState', { clientState: undefined }],
    ['null for a clientState', { clientState: null }],
    ['its clientState in an array', { clientState: [change().clientState] }],
    ["another tenant's clientState", { tenantId: '11111111-2222-3333-4444-555555555555' }],
    ['no tenant', { tenantId: undefined }],
    ['a number for a tenant', { tenantId: 1 }],
    ['an empty tenant', { tenantId: '' }],
  ])('drops a change with %s', (_what, changes) => {
    expect(accept(change(changes))).toEqual({ entries: [], forged: 1, unreadable: 0 });
  });

  it.each([[null], [1], ['x'], [true], [[]], [[change()]], [{}], [{ value: [change()] }]])(
    'drops the item %j',
    (item) => {
      expect(accept(item)).toEqual({ entries: [], forged: 1, unreadable: 0 });
    },
  );

  it('keeps the good ones of a mixed POST', () => {
    const { entries, ...counts } = accept(
      forged(),
      change(),
      null,
      change({ resource: '//evil.example', resourceData: null }),
    );
    expect(counts).toEqual({ forged: 2, unreadable: 1 });
    expect(entries.map(({ news }) => news.kind)).toEqual(['change', 'unreadable']);
  });

  const wrong = [undefined, null, 1, true, [], {}, Number.POSITIVE_INFINITY];
  it.each([
    ...['changeType', 'resource'].flatMap((name) => wrong.map((value) => [name, value] as const)),
    ...[1, true, [], {}].map((value) => ['id', value] as const),
    ...['x', 1, [], { id: 1 }, { '@odata.id': [] }].map((value) => ['resourceData', value] as const),
  ])('makes an unreadable entry of a verified change whose %s is %j', (name, value) => {
    const { entries, unreadable } = accept(change({ [name]: value }));
    expect(unreadable).toBe(1);
    expect(entries).toMatchObject([
      { news: { kind: 'unreadable', reason: expect.stringContaining(`not as documented: ${name}`) } },
    ]);
  });

  it.each([undefined, null, 1, [], {}, '', 'a/b', 'x'.repeat(65), '\ud800', 'a\0', '<guid>'])(
    'makes an unreadable entry of a verified change whose subscriptionId is %j, and keeps that out of it',
    (subscriptionId) => {
      expect(accept(change({ subscriptionId }))).toMatchObject({
        forged: 0,
        unreadable: 1,
        entries: [
          { owner: expect.stringContaining(`${TENANT}/lanes/`), news: { subscriptionId: 'unknown' } },
        ],
      });
    },
  );

  it.each(['a\0b', 'a\nb', '\ud800', 'a\udfff', '\u007f'])(
    'makes an unreadable entry of a verified change that names itself or its version %j',
    (text) => {
      for (const changes of [
        { id: text },
        { resourceData: { '@odata.etag': text } },
        { resourceData: { '@odata.type': text } },
        { lifecycleEvent: text },
      ])
        expect(accept(change(changes)).entries).toMatchObject([{ news: { kind: 'unreadable' } }]);
    },
  );

  it('makes an unreadable entry of a literal clientState in a tenant that is none', () => {
    for (const tenantId of [undefined, 1, 'a/b', '\ud800'])
      expect(accept(change({ clientState: 'made elsewhere', tenantId }))).toMatchObject({
        forged: 0,
        entries: [{ news: { kind: 'unreadable', tenantId: 'unknown' } }],
      });
  });

  it('makes an unreadable entry of a path that is longer than any, and keeps its start alone', () => {
    const [entry] = accept(change({ resource: 'x'.repeat(5000) })).entries;
    expect(entry?.news).toMatchObject({ kind: 'unreadable', resource: 'x'.repeat(200) });
  });

  it.each([[1], [[]], [{}], ['']])(
    'makes an unreadable entry of the lifecycle event %j',
    (lifecycleEvent) => {
      expect(accept(lifecycle(lifecycleEvent)).entries).toMatchObject([{ news: { kind: 'unreadable' } }]);
    },
  );

  it('takes an item whose lifecycleEvent is null for a change', () => {
    expect(accept(change({ lifecycleEvent: null })).entries).toMatchObject([{ news: { kind: 'change' } }]);
  });

  it('lets nothing through by way of __proto__', () => {
    const item = JSON.parse(`{"__proto__":${JSON.stringify(change())}}`);
    expect(accept(item)).toEqual({ entries: [], forged: 1, unreadable: 0 });
    const mixed = JSON.parse(
      JSON.stringify(change()).replace('{', '{"__proto__":{"lifecycleEvent":"missed"},'),
    );
    expect(accept(mixed).entries).toMatchObject([{ news: { kind: 'change' } }]);
  });

  it('lets neither clientState nor body texts into an entry', () => {
    const item = change({ subject: 'canary', resourceData: { id: 'e1', subject: 'canary' }, body: 'canary' });
    const texts = JSON.stringify([accept(item), accept({ ...item, resource: 1 }), accept(lifecycle())]);
    expect(texts).not.toContain('canary');
    expect(texts).not.toContain(change().clientState);
  });
});
