import { describe, expect, it } from 'vitest';
import {
  changeNotificationSchema,
  lifecycleNotificationSchema,
  notificationCollectionSchema,
} from '../src/index.ts';

const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
const SUBSCRIPTION = 'c6126aa3-0ed8-412f-a988-71e6cee627c4';

const change = {
  subscriptionId: SUBSCRIPTION,
  changeType: 'created',
  resource: 'Users/u/Events/e',
  tenantId: TENANT,
};
const lifecycle = { subscriptionId: SUBSCRIPTION, tenantId: TENANT, lifecycleEvent: 'missed' };

const readsChange = (item: object) => changeNotificationSchema.safeParse(item).success;

describe('changeNotificationSchema', () => {
  it('keeps what is known of an Outlook notification, and nothing else', () => {
    const item = {
      ...change,
      id: 'lsgTZMr9KwAAA',
      subscriptionExpirationDateTime: '2022-01-02T03:12:18.2257768+05:30',
      clientState: 'a secret',
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Event',
        '@odata.id': 'Users/u/Events/e',
        '@odata.etag': 'W/"1"',
        id: 'e',
        subject: 'private',
      },
      newProperty: { of: ['next', 'year'] },
    };
    expect(changeNotificationSchema.parse(item)).toEqual({
      ...change,
      id: 'lsgTZMr9KwAAA',
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Event',
        '@odata.id': 'Users/u/Events/e',
        '@odata.etag': 'W/"1"',
        id: 'e',
      },
    });
  });

  it.each([
    '2022-01-02T03:12:18.2257768+05:30',
    '2021-02-02T11:26:41.0537895-08:00',
    '2019-09-18T00:52:45.9696658+00:00',
    '2016-03-19T22:11:09.952Z',
    '',
    null,
    0,
  ])('does not mind how the expiry is written: %j', (subscriptionExpirationDateTime) => {
    expect(readsChange({ ...change, subscriptionExpirationDateTime })).toBe(true);
  });

  it.each(['created', 'Created', 'CREATED'])('reads the change type %s', (changeType) => {
    expect(changeNotificationSchema.parse({ ...change, changeType }).changeType).toBe('created');
  });

  it('takes null for absent where a property may be absent', () => {
    const item = { ...change, id: null, resourceData: null };
    expect(changeNotificationSchema.parse(item)).toEqual(changeNotificationSchema.parse(change));
    const resourceData = { id: null, '@odata.id': null, '@odata.type': null, '@odata.etag': null };
    expect(readsChange({ ...change, resourceData })).toBe(true);
    expect(readsChange({ ...change, resourceData: {} })).toBe(true);
  });

  it('gains no property by way of __proto__', () => {
    const item = JSON.parse(
      '{"__proto__":{"resource":"Users/u/Events/e","polluted":true},"constructor":1,"changeType":"created"}',
    );
    expect(changeNotificationSchema.safeParse({ ...change, ...item }).success).toBe(true);
    const parsed = changeNotificationSchema.parse(Object.assign(item, change)) as Record<string, unknown>;
    expect(parsed.polluted).toBeUndefined();
    expect(Object.hasOwn(parsed, 'constructor')).toBe(false);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  const content = { data: 'eHh4'.repeat(100_000), dataKey: 'a2V5', dataSignature: 'c2ln' };

  it('reads what a rich notification carries, and nothing else of it', () => {
    const encryptedContent = { ...content, encryptionCertificateId: 'c' };
    const parsed = changeNotificationSchema.parse({
      ...change,
      encryptedContent: { ...encryptedContent, additional: 'x' },
    });
    expect(parsed.encryptedContent).toEqual(encryptedContent);
  });

  it.each([
    true,
    [],
    {},
    content,
    { ...content, encryptionCertificateId: '' },
    { ...content, encryptionCertificateId: 'c', data: 'not base64!' },
    { ...content, encryptionCertificateId: 'c', dataKey: 7 },
  ])('reads one whose content is not as documented as a basic one (%#)', (encryptedContent) => {
    expect(changeNotificationSchema.parse({ ...change, encryptedContent })).toEqual(change);
  });

  const wrongValues = [undefined, null, 1, true, [], ['a'], {}, '', Number.POSITIVE_INFINITY];
  const required = ['subscriptionId', 'tenantId', 'changeType', 'resource'];
  it.each(required.flatMap((name) => wrongValues.map((value) => [name, value] as const)))(
    'refuses %s where it is %j',
    (name, value) => {
      expect(readsChange({ ...change, [name]: value })).toBe(false);
    },
  );

  it.each([...required, 'id'])('refuses a %s of more than 4096 characters', (name) => {
    expect(readsChange({ ...change, [name]: 'x'.repeat(4097) })).toBe(false);
  });

  it.each([
    { id: 1 },
    { id: {} },
    { resourceData: 'e' },
    { resourceData: [] },
    { resourceData: { id: 1 } },
    { resourceData: { '@odata.id': ['a'] } },
    { resourceData: { '@odata.etag': {} } },
    { resourceData: { '@odata.type': true } },
    { changeType: 'validation: x' },
    { changeType: 'created,updated' },
  ])('refuses %j', (wrong) => {
    expect(readsChange({ ...change, ...wrong })).toBe(false);
  });
});

describe('lifecycleNotificationSchema', () => {
  it.each(['missed', 'subscriptionRemoved', 'reauthorizationRequired', 'announcedNextYear'])(
    'reads %s, without a resource or a change type',
    (lifecycleEvent) => {
      expect(lifecycleNotificationSchema.parse({ ...lifecycle, lifecycleEvent })).toEqual({
        ...lifecycle,
        lifecycleEvent,
      });
    },
  );

  it.each([undefined, null, '', 1, ['missed'], {}])('refuses the event %j', (lifecycleEvent) => {
    expect(lifecycleNotificationSchema.safeParse({ ...lifecycle, lifecycleEvent }).success).toBe(false);
  });
});

describe('notificationCollectionSchema', () => {
  it('looks at no item', () => {
    const value = [1, null, 'x', [], {}];
    expect(notificationCollectionSchema.parse({ value }).value).toEqual(value);
  });

  it.each([
    [{ value: [] }],
    [{ value: [], validationTokens: null }],
    [{ value: [], validationTokens: ['jwt', null] }],
  ])('accepts %j', (body) => {
    expect(notificationCollectionSchema.safeParse(body).success).toBe(true);
  });

  it.each([
    [null],
    [[]],
    ['x'],
    [1],
    [{}],
    [{ value: null }],
    [{ value: {} }],
    [{ value: 'x' }],
    [{ Value: [] }],
  ])('refuses %j', (body) => {
    expect(notificationCollectionSchema.safeParse(body).success).toBe(false);
  });
});
