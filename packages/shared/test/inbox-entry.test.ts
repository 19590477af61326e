import { describe, expect, it } from 'vitest';
import {
  type ChangeNotification,
  changeEntry,
  changeNotificationSchema,
  type LifecycleNotification,
  lifecycleEntry,
  parseResourcePath,
  unreadableEntry,
} from '../src/index.ts';
import { hostilePaths } from './hostile-paths.ts';

const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
const USER = '622eaaff-0683-4862-9de4-f2ec83c2bd98';
const SUBSCRIPTION = 'c6126aa3-0ed8-412f-a988-71e6cee627c4';
const AT = 1_795_000_000_000;

function change(changes: Record<string, unknown> = {}): ChangeNotification {
  return changeNotificationSchema.parse({
    subscriptionId: SUBSCRIPTION,
    tenantId: TENANT,
    changeType: 'updated',
    resource: `Users/${USER}/Events/e1`,
    ...changes,
  });
}

const entryOf = (changes?: Record<string, unknown>) => changeEntry(change(changes), 'nonce', AT);

describe('changeEntry', () => {
  it('names owner, resource and time, and keeps the known fields', () => {
    const item = {
      id: 'n1',
      changeType: 'Created',
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Event',
        '@odata.id': `Users/${USER}/Events/e1`,
        '@odata.etag': 'W/"1"',
        id: 'e1',
      },
    };
    expect(entryOf(item)).toEqual({
      owner: `${TENANT}/users/${USER}`,
      resource: `users/${USER}/events/e1`,
      receivedAt: AT,
      news: {
        kind: 'change',
        tenantId: TENANT,
        subscriptionId: SUBSCRIPTION,
        changeType: 'created',
        resource: `Users/${USER}/Events/e1`,
        odataType: '#Microsoft.Graph.Event',
        etag: 'W/"1"',
        notificationId: 'n1',
        nonce: 'nonce',
      },
    });
  });

  it('stores nothing for what is absent', () => {
    expect(Object.keys(changeEntry(change(), undefined, AT).news).toSorted()).toEqual(
      ['changeType', 'kind', 'resource', 'subscriptionId', 'tenantId'].toSorted(),
    );
  });

  it('knows a tenant in any case as one', () => {
    expect(entryOf({ tenantId: TENANT.toUpperCase() }).owner).toBe(entryOf().owner);
  });

  it('takes @odata.id for the resource that changed, since resource may be another one of the owner', () => {
    const entry = entryOf({ resourceData: { '@odata.id': `Users/${USER}/Events/e2` } });
    expect(entry.resource).toBe(`users/${USER}/events/e2`);
    expect(entry.news).toMatchObject({ resource: `Users/${USER}/Events/e1` });
  });

  it.each([
    ['an absolute URL', `https://graph.microsoft.com/v1.0/users/${USER}/events/e2`],
    ['a URL of another host', 'https://evil.example/v1.0/users/1'],
    ['no path', '../../me'],
    ['a collection', `Users/${USER}/Events`],
    ['empty', ''],
  ])('falls back to resource where @odata.id is %s', (_what, odataId) => {
    expect(entryOf({ resourceData: { '@odata.id': odataId } }).resource).toBe(`users/${USER}/events/e1`);
  });

  it('takes @odata.id where resource cannot be understood', () => {
    const entry = entryOf({
      resource: 'newKind/1',
      resourceData: { '@odata.id': `users/${USER}/events/e2` },
    });
    expect(entry.resource).toBe(`users/${USER}/events/e2`);
  });

  it('adds the id of the resource data where resource names its collection alone', () => {
    const named = (resource: string, id: string) => entryOf({ resource, resourceData: { id } }).resource;
    expect(named(`users/${USER}/events`, 'e9')).toBe(`users/${USER}/events/e9`);
    expect(named('communications/callRecords', 'E1CA3B5E-0A0A-4A0A-8A0A-0A0A0A0A0A0A')).toBe(
      'communications/callrecords/e1ca3b5e-0a0a-4a0a-8a0a-0a0a0a0a0a0a',
    );
    expect(named(`users/${USER}/events`, "o'neil")).toBe(`users/${USER}/events/o'neil`);
    expect(named(`users/${USER}/events/e1`, 'e9')).toBe(`users/${USER}/events/e1`);
    expect(named('drives/d/root', 'r')).toBe('drives/d/root');
  });

  it.each(['../../groups/1', 'e/messages/m', '..', '.', 'e?$select=body', "e')/messages('m", '', '%2e%2e'])(
    'adds nothing for the id %j, which is more than an id',
    (id) => {
      const entry = entryOf({ resource: `users/${USER}/events`, resourceData: { id } });
      expect(entry.resource).toBe(`users/${USER}/events`);
    },
  );

  it('is unreadable where resource and @odata.id name different owners', () => {
    const entry = entryOf({ resourceData: { '@odata.id': 'Users/somebody-else/Events/e1' } });
    expect(entry.news).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining('different owners'),
    });
    expect(entry.owner).toMatch(new RegExp(`^${TENANT}/lanes/[0-7]$`));
  });

  it.each([
    ['a user by GUID in two cases', USER.toUpperCase(), USER],
    ['a user with and without tenant', `${USER}@${TENANT}`, USER],
  ])('sees one owner in %s', (_what, one, other) => {
    const entry = entryOf({
      resource: `users/${one}/events/e1`,
      resourceData: { '@odata.id': `Users('${other}')/Events('e1')` },
    });
    expect(entry).toMatchObject({ owner: `${TENANT}/users/${USER}`, news: { kind: 'change' } });
  });

  it('sees one owner in two spellings of a resource that belongs to nobody', () => {
    for (let n = 0; n < 20; n++) {
      const entry = entryOf({
        resource: 'communications/callRecords',
        resourceData: { '@odata.id': `communications/callRecords('${n}')` },
      });
      expect(entry).toMatchObject({ resource: `communications/callrecords/${n}`, news: { kind: 'change' } });
    }
  });

  it('sees two owners where one of the paths belongs to nobody', () => {
    const entry = entryOf({ resourceData: { '@odata.id': 'communications/callRecords/1' } });
    expect(entry.news.kind).toBe('unreadable');
  });

  it.each(
    hostilePaths.filter((text) => text !== '' && text.length < 4096).map((text) => [text.slice(0, 60), text]),
  )('is unreadable for the resource %j, in a lane of its tenant', (_start, resource) => {
    const entry = entryOf({ resource });
    expect(entry.news).toMatchObject({ kind: 'unreadable', reason: expect.stringMatching(/^resource: /) });
    expect(entry.owner).toMatch(new RegExp(`^${TENANT}/lanes/[0-7]$`));
    expect(entry.resource).toMatch(/^unreadable\/[0-9a-f]{32}$/);
  });

  it.each(['<<tenant>>', 'a/b', 'a b', '', '-', 'x'.repeat(65), '{tag}', 'ü'])(
    'is unreadable where the tenant is %j, and lets it into no key',
    (tenantId) => {
      const entry = changeEntry({ ...change(), tenantId }, undefined, AT);
      expect(entry.owner).toMatch(/^unknown\/lanes\/[0-7]$/);
      expect(entry.news).toMatchObject({ kind: 'unreadable', tenantId: 'unknown' });
    },
  );

  it('carries no clientState into what is stored, and content beside its news alone', () => {
    const item = {
      clientState: 'canary-state',
      subject: 'canary-subject',
      resourceData: { id: 'e1', subject: 'canary-data' },
      encryptedContent: {
        data: 'Y2FuYXJ5',
        dataKey: 'a2V5',
        dataSignature: 'c2ln',
        encryptionCertificateId: 'certificate-1',
        encryptionCertificateThumbprint: undefined,
      },
    };
    const { content, ...entry } = entryOf(item);
    expect(JSON.stringify(entry)).not.toMatch(/canary|Y2FuYXJ5|certificate-1/);
    expect(content).toEqual(item.encryptedContent);
  });
});

describe('lifecycleEntry', () => {
  const item: LifecycleNotification = {
    subscriptionId: SUBSCRIPTION,
    tenantId: TENANT,
    id: undefined,
    lifecycleEvent: 'missed',
  };

  it('belongs to its subscription, repeated ones of a kind to one resource', () => {
    expect(lifecycleEntry(item, 'nonce', AT)).toEqual({
      owner: `${TENANT}/subscriptions/${SUBSCRIPTION}`,
      resource: 'lifecycle/missed',
      receivedAt: AT,
      news: {
        kind: 'lifecycle',
        tenantId: TENANT,
        subscriptionId: SUBSCRIPTION,
        lifecycleEvent: 'missed',
        nonce: 'nonce',
      },
    });
  });

  it('has one owner for a subscription in any case', () => {
    const upper = { ...item, subscriptionId: SUBSCRIPTION.toUpperCase(), tenantId: TENANT.toUpperCase() };
    expect(lifecycleEntry(upper, undefined, AT).owner).toBe(lifecycleEntry(item, undefined, AT).owner);
  });

  it('keeps a long event out of its key', () => {
    const long = lifecycleEntry({ ...item, lifecycleEvent: 'x'.repeat(4000) }, undefined, AT);
    expect(long.resource.length).toBeLessThan(100);
  });

  it.each([
    { subscriptionId: '<subscription_guid>' },
    { subscriptionId: 'a/b' },
    { subscriptionId: 'x'.repeat(65) },
    { tenantId: '<tenant_guid>' },
  ])('is unreadable with %j', (wrong) => {
    expect(lifecycleEntry({ ...item, ...wrong }, undefined, AT)).toMatchObject({
      owner: expect.stringMatching(/\/lanes\/[0-7]$/),
      news: { kind: 'unreadable', reason: 'tenantId or subscriptionId is no id' },
    });
  });
});

describe('unreadableEntry', () => {
  const item = { tenantId: TENANT, subscriptionId: SUBSCRIPTION, nonce: undefined, reason: 'odd' };

  it('is one resource for repeats, and another for another reason, subscription or path', () => {
    const resourceOf = (changes: object) => unreadableEntry({ ...item, ...changes }, AT).resource;
    expect(resourceOf({})).toBe(resourceOf({}));
    const different = [
      {},
      { reason: 'other' },
      { subscriptionId: 'other' },
      { resource: 'a' },
      { resource: 'b' },
    ];
    expect(new Set(different.map(resourceOf)).size).toBe(different.length);
  });

  it('keeps the start of the path for people, and nothing of what is no text', () => {
    expect(unreadableEntry({ ...item, resource: 'r'.repeat(1000) }, AT).news).toMatchObject({
      resource: 'r'.repeat(200),
    });
    for (const resource of [undefined, null, 1, {}, ['a']]) {
      expect(unreadableEntry({ ...item, resource }, AT).news).not.toHaveProperty('resource');
    }
  });

  it('names a resource that no path can name', () => {
    expect(parseResourcePath(unreadableEntry(item, AT).resource).ok).toBe(false);
    expect(parseResourcePath('lifecycle/missed').ok).toBe(false);
  });
});
