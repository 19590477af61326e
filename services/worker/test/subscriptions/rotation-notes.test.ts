/** What is said of secrets and certificates, and how often. */
import { describe, expect, it } from 'vitest';
import { createRotationNotes } from '../../src/subscriptions/rotation-notes.ts';
import { certificatesInUse } from '../../src/subscriptions/rotations.ts';
import type { KnownSubscription } from '../../src/subscriptions/subscription-store.ts';
import { keptLog } from '../support/silent-log.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function setup(currentId?: string) {
  const clock = { ms: Date.UTC(2026, 10, 23) };
  const log = keptLog();
  const current = () => (currentId === undefined ? undefined : { id: currentId, base64: '' });
  const note = createRotationNotes({ encryption: { current }, log, now: () => clock.ms });
  const ending = (id: string, inMs: number, subscriptions: number) => ({
    id,
    expiresAt: clock.ms + inMs,
    subscriptions,
  });
  return {
    clock,
    note,
    ending,
    said: (name: string) =>
      log.lines.map((line) => JSON.parse(line)).filter(({ message }) => message === name),
  };
}

describe('a certificate that is used', () => {
  const name = 'encryption.certificate-expires';
  const quiet = { bySecret: { current: 1, old: 0, replaced: 0 }, oldSecretsFreed: false };

  it('is warned of from 30 days before its end on, once a day', () => {
    const { note, ending, said, clock } = setup();
    const certificates = [ending('key-1', 30 * DAY + 1, 3)];
    note({ ...quiet, certificates });
    expect(said(name)).toEqual([]);
    clock.ms += 1;
    note({ ...quiet, certificates });
    note({ ...quiet, certificates });
    expect(said(name)).toMatchObject([{ level: 'warn', certificate: 'key-1', subscriptions: 3 }]);
    clock.ms += DAY;
    note({ ...quiet, certificates });
    expect(said(name)).toHaveLength(2);
  });

  it('is so while a subscription has it, or the next one would get it; others end unsaid', () => {
    const { note, ending, said } = setup('key-2');
    note({ ...quiet, certificates: [ending('key-1', DAY, 0), ending('key-2', DAY, 0)] });
    expect(said(name)).toMatchObject([{ certificate: 'key-2' }]);
  });
});

describe('old clientState secrets', () => {
  it('are spoken of when the number of their subscriptions changes', () => {
    const { note, said } = setup();
    const report = (old: number, replaced: number) =>
      note({ bySecret: { current: 9 - old, old, replaced }, oldSecretsFreed: false, certificates: [] });
    for (const [old = 0, replaced = 0] of [[], [2], [2], [1, 1], [0, 2], [0, 2], [], []])
      report(old, replaced);
    expect(said('clientstate.old-secret-in-use').map(({ old, replaced }) => [old, replaced])).toEqual([
      [2, 0],
      [1, 1],
      [0, 2],
      [0, 0],
    ]);
    expect(said('clientstate.old-secret-freed')).toEqual([]);
  });

  it('may be removed when the last one that needed them was forgotten, and that is said', () => {
    const { note, said } = setup();
    note({ bySecret: { current: 9, old: 0, replaced: 0 }, oldSecretsFreed: true, certificates: [] });
    expect(said('clientstate.old-secret-freed')).toMatchObject([
      { level: 'info', next: 'the old secret may be removed from CLIENT_STATE_SECRETS' },
    ]);
  });
});

describe('a key', () => {
  const NOW = Date.UTC(2026, 10, 23);
  const known = (more: Partial<KnownSubscription>): KnownSubscription => ({
    id: 'a',
    wish: 'w',
    tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
    resource: 'r',
    changeType: 'created',
    topic: 't',
    whole: true,
    nonce: 'n',
    expiresAt: NOW + DAY,
    ...more,
  });

  it('is needed by its subscriptions, and for 8 hours by those that have left it', () => {
    const inUse = certificatesInUse(
      [
        known({ certificateId: 'new', formerCertificates: [{ id: 'old', until: NOW - 8 * HOUR }] }),
        known({ certificateId: 'new', formerCertificates: [{ id: 'older', until: NOW - 8 * HOUR - 1 }] }),
        known({ certificateId: 'gone', replacedAt: NOW - HOUR }),
        known({}),
      ],
      NOW,
    );
    expect(Object.fromEntries(inUse)).toEqual({ new: 2, old: 1, gone: 1 });
  });
});
