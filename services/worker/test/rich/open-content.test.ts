/** What becomes of content by its tokens, its key and its integrity; and the shape of what comes out. */
import { createPublicKey } from 'node:crypto';
import type { StoredContent } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { createOpenContent, type OpenContentDeps } from '../../src/rich/open-content.ts';
import { readPrivateKeys } from '../../src/rich/private-keys.ts';
import type { ProvenTenants } from '../../src/rich/validation-tokens.ts';
import { keptLog } from '../support/silent-log.ts';
import { changeNews, TENANT } from '../support/taken-entry.ts';
import { seal } from './seal.ts';
import { vectorKeys } from './vectors.ts';

const [{ id: certificateId, privateKey, certificate }] = vectorKeys;
const { keys } = readPrivateKeys([{ setting: 'KEYS', id: certificateId, text: privateKey + certificate }]);
const [held] = keys;
if (held === undefined) throw new Error('the vectors have no key');

const OUTLOOK = {
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#events/$entity',
  '@odata.type': '#microsoft.graph.event',
  subject: 'Größe 会議',
  'attendees@odata.type': '#Collection(microsoft.graph.attendee)',
  start: { '@odata.type': '#microsoft.graph.dateTimeTimeZone', dateTime: '2026-12-01T09:00:00' },
  attendees: [{ 'status@odata.type': '#microsoft.graph.responseStatus', status: { response: 'none' } }],
};

function contentOf(resource: object, more: Partial<StoredContent> = {}): StoredContent {
  const sealed = seal(JSON.stringify(resource), createPublicKey(held?.privateKey ?? ''));
  return { ...sealed, encryptionCertificateId: certificateId, ...more };
}

const proven: ProvenTenants = { tenants: new Set([TENANT]), undecided: false, refusals: [] };
const DAY_MS = 86_400_000;

function opener(found: ProvenTenants = proven, more: Partial<OpenContentDeps> = {}, etag = 'W/"7"') {
  const asked: { tokens: readonly (string | null)[]; receivedAt: number }[] = [];
  const log = keptLog();
  const open = createOpenContent({
    keys: () => keys,
    verifierOf: () => ({
      async verify(tokens, receivedAt) {
        asked.push({ tokens: [...tokens], receivedAt });
        return found;
      },
    }),
    contents: { tokens: async (name) => [`token of ${name}`] },
    log,
    ...more,
  });
  const news = changeNews({ ...(etag !== '' && { etag }), contentId: 'content-1' });
  return {
    log,
    asked,
    open: (content: StoredContent, waitingMs = 0) =>
      open(news, content, { id: 'event-1', receivedAt: 1000, waitingMs }),
  };
}

describe('content that is proven and whole', () => {
  it('has the shape of what a fetch gives: id and version, and no notes of types', async () => {
    const { open } = opener();
    expect(await open(contentOf(OUTLOOK))).toEqual({
      next: 'state',
      state: {
        data: {
          '@odata.etag': 'W/"7"',
          id: 'event-1',
          subject: 'Größe 会議',
          start: { dateTime: '2026-12-01T09:00:00' },
          attendees: [{ status: { response: 'none' } }],
        },
        version: 'W/"7"',
        readAt: 1000,
      },
    });
  });

  it('keeps the id that it names itself', async () => {
    const { open } = opener();
    expect(await open(contentOf({ id: 'message-9', etag: '17' }))).toMatchObject({
      state: { data: { id: 'message-9' } },
    });
  });

  it.each([
    ['the etag of a chat message', { etag: '17' }, '17'],
    ['the changeKey of a mailbox item, where it was selected', { changeKey: 'ck', etag: '17' }, 'ck'],
    ['none', { subject: 'Lunch' }, undefined],
  ])('has a version of its own where none was notified: %s', async (_name, content, version) => {
    const { open } = opener(proven, {}, '');
    expect(await open(contentOf(content))).toMatchObject({ next: 'state', state: { version } });
  });

  it('is judged by the tokens of its POST, as of the time of receipt', async () => {
    const { open, asked } = opener();
    await open(contentOf(OUTLOOK));
    expect(asked).toEqual([{ tokens: ['token of content-1'], receivedAt: 1000 }]);
  });
});

describe('content without a proof for its tenant', () => {
  it('is given up, whatever it is', async () => {
    const elsewhere = { ...proven, tenants: new Set(['another-tenant']), refusals: ['audience' as const] };
    const { open, log } = opener(elsewhere);
    expect(await open(contentOf(OUTLOOK))).toEqual({
      next: 'giveUp',
      reason: 'no valid validation token for its tenant',
    });
    expect(log.lines.join()).toContain('"refusals":["audience"]');
  });

  it('waits while the keys that sign cannot be had, for a day', async () => {
    const { open } = opener({ tenants: new Set(), undecided: true, refusals: [] });
    expect(await open(contentOf(OUTLOOK))).toMatchObject({ next: 'wait', countsAsAttempt: true });
    expect(await open(contentOf(OUTLOOK), DAY_MS - 1)).toMatchObject({ next: 'wait' });
    expect(await open(contentOf(OUTLOOK), DAY_MS + 1)).toMatchObject({ next: 'giveUp' });
  });
});

describe('content whose private key is not held', () => {
  it('waits with an alarm that names the certificate, and is opened once the key is there', async () => {
    const now: { keys: typeof keys } = { keys: [] };
    const { open, log } = opener(proven, { keys: () => now.keys });
    expect(await open(contentOf(OUTLOOK))).toMatchObject({ next: 'wait' });
    expect(log.lines.join()).toContain('content.key-not-held');
    expect(log.lines.join()).toContain(certificateId);
    now.keys = keys;
    expect(await open(contentOf(OUTLOOK))).toMatchObject({ next: 'state' });
  });
});

describe('content that was altered', () => {
  it.each([
    ['data', { data: Buffer.alloc(32).toString('base64') }],
    ['dataKey', { dataKey: Buffer.alloc(256, 7).toString('base64') }],
    ['dataSignature', { dataSignature: Buffer.alloc(32).toString('base64') }],
  ])('is given up with one reason for all, and nothing of it is logged (%s)', async (_part, altered) => {
    const { open, log } = opener();
    expect(await open(contentOf(OUTLOOK, altered))).toEqual({
      next: 'giveUp',
      reason: 'the encrypted content was altered, or is not for this key',
    });
    expect(log.lines.join()).toContain('content.refused');
    expect(log.lines.join()).not.toMatch(/Größe|AAAA/);
  });
});
