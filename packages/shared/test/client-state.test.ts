import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNonce, secretsOf, signClientState, splitSecret, verifyClientState } from '../src/index.ts';

const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
const OTHER_TENANT = '11111111-2222-3333-4444-555555555555';
const ours = { secrets: ['the newest secret', 'the secret before'], accepted: ['made elsewhere'] };
const forged = { verified: false };

describe('signClientState', () => {
  it('makes what is documented: v1, nonce, HMAC-SHA256 over tenant and nonce', () => {
    const mac = createHmac('sha256', 'key').update(`${TENANT}|nonce`).digest('base64url');
    expect(signClientState(['key'], TENANT, 'nonce')).toBe(`v1.nonce.${mac}`);
  });

  it('fits into the 128 characters that Graph allows, whatever the secret', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.uuid(), (secret, tenant) => {
        expect(signClientState([secret], tenant, createNonce())).toHaveLength(69);
      }),
    );
  });

  it('uses the first secret', () => {
    const state = signClientState(ours.secrets, TENANT, 'n');
    expect(state).toBe(signClientState(['the newest secret'], TENANT, 'n'));
    expect(state).not.toBe(signClientState(['the secret before'], TENANT, 'n'));
  });

  it('refuses to sign with no secret', () => {
    expect(() => signClientState([], TENANT, 'n')).toThrow('no clientState secret');
  });
});

describe('createNonce', () => {
  it('makes 16 bytes that never repeat', () => {
    const nonces = Array.from({ length: 1000 }, createNonce);
    expect(new Set(nonces).size).toBe(1000);
    expect(nonces.every((nonce) => /^[\w-]{22}$/.test(nonce))).toBe(true);
  });
});

describe('verifyClientState', () => {
  it('verifies what was signed, and says its nonce', () => {
    const nonce = createNonce();
    expect(verifyClientState(signClientState(ours.secrets, TENANT, nonce), TENANT, ours)).toEqual({
      verified: true,
      nonce,
    });
  });

  it('verifies with each secret of a rotation, and no more with one that was taken away', () => {
    const old = signClientState(['the secret before'], TENANT, 'n');
    expect(verifyClientState(old, TENANT, ours)).toEqual({ verified: true, nonce: 'n' });
    expect(verifyClientState(old, TENANT, { ...ours, secrets: ['the newest secret'] })).toEqual(forged);
    expect(verifyClientState(old, TENANT, { ...ours, secrets: [] })).toEqual(forged);
  });

  it('knows a tenant in any case', () => {
    const state = signClientState(ours.secrets, TENANT.toUpperCase(), 'n');
    expect(verifyClientState(state, TENANT, ours).verified).toBe(true);
  });

  it("refuses another tenant's", () => {
    expect(verifyClientState(signClientState(ours.secrets, OTHER_TENANT, 'n'), TENANT, ours)).toEqual(forged);
  });

  it('verifies a literal value for any tenant, without a nonce', () => {
    expect(verifyClientState('made elsewhere', OTHER_TENANT, ours)).toEqual({ verified: true });
    expect(verifyClientState('Made elsewhere', TENANT, ours)).toEqual(forged);
    expect(verifyClientState('made elsewher', TENANT, ours)).toEqual(forged);
  });

  it('refuses one that was altered in any single character', () => {
    const state = signClientState(ours.secrets, TENANT, createNonce());
    for (let i = 0; i < state.length; i++) {
      const altered = `${state.slice(0, i)}${state[i] === 'A' ? 'B' : 'A'}${state.slice(i + 1)}`;
      expect(verifyClientState(altered, TENANT, ours)).toEqual(forged);
      expect(verifyClientState(state.slice(0, i), TENANT, ours)).toEqual(forged);
    }
  });

  it('refuses another writing of the same bytes', () => {
    const [, nonce, mac] = signClientState(['key of this test'], TENANT, 'n').split('.') as [
      string,
      string,
      string,
    ];
    const base64 = Buffer.from(mac, 'base64url').toString('base64');
    const secrets = { secrets: ['key of this test'], accepted: [] };
    expect(verifyClientState(`v1.${nonce}.${mac}`, TENANT, secrets).verified).toBe(true);
    expect(verifyClientState(`v1.${nonce}.${base64}`, TENANT, secrets)).toEqual(forged);
    expect(verifyClientState(`v1.${nonce}.${mac}=`, TENANT, secrets)).toEqual(forged);
    expect(verifyClientState(` v1.${nonce}.${mac}`, TENANT, secrets)).toEqual(forged);
    expect(verifyClientState(`v1.${nonce}.${mac}.`, TENANT, secrets)).toEqual(forged);
    expect(verifyClientState(`v2.${nonce}.${mac}`, TENANT, secrets)).toEqual(forged);
    expect(verifyClientState(`v1..${mac}`, TENANT, secrets)).toEqual(forged);
    expect(verifyClientState(`v1.${nonce}.`, TENANT, secrets)).toEqual(forged);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a number', 1],
    ['true', true],
    ['an array that holds a good one', [signClientState(ours.secrets, TENANT, 'n')]],
    ['an array of a literal', ['made elsewhere']],
    ['an object', { clientState: 'made elsewhere' }],
    ['an object that reads as a good one', { toString: () => 'made elsewhere' }],
    ['an empty array', []],
    ['one that is too long', `v1.${'n'.repeat(200)}.mac`],
    ['dots', '..'],
    ['a lone surrogate', '\ud800'],
  ])('refuses %s', (_what, clientState) => {
    expect(verifyClientState(clientState, TENANT, ours)).toEqual(forged);
  });

  it('refuses one of more than 128 characters even if it was signed by us', () => {
    const long = signClientState(ours.secrets, TENANT, 'n'.repeat(100));
    expect(long.length).toBeGreaterThan(128);
    expect(verifyClientState(long, TENANT, ours)).toEqual(forged);
  });

  it('refuses any text that was not signed', () => {
    const part = fc.base64String().map((text) => text.replaceAll(/[+/=]/g, '-'));
    const guess = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 140 }),
      fc.tuple(part, part).map(([nonce, mac]) => `v1.${nonce}.${mac}`),
    );
    fc.assert(fc.property(guess, (text) => !verifyClientState(text, TENANT, ours).verified));
  });
});

describe('a secret of one tenant', () => {
  const secrets = ['common secret', `${TENANT.toUpperCase()}=own secret`, `${TENANT}=own secret before`];
  const both = { secrets, accepted: [] };

  it('signs and verifies for that tenant, and the others have the common ones', () => {
    expect(secretsOf(secrets, TENANT)).toEqual(['own secret', 'own secret before']);
    expect(secretsOf(secrets, OTHER_TENANT)).toEqual(['common secret']);
    expect(signClientState(secrets, TENANT, 'n')).toBe(signClientState(['own secret'], TENANT, 'n'));
    expect(verifyClientState(signClientState(secrets, TENANT, 'n'), TENANT, both).verified).toBe(true);
    expect(verifyClientState(signClientState(secrets, OTHER_TENANT, 'n'), OTHER_TENANT, both).verified).toBe(
      true,
    );
  });

  it('proves nothing of another tenant, and the common one nothing of a tenant that has its own', () => {
    const own = signClientState(['own secret'], OTHER_TENANT, 'n');
    expect(verifyClientState(own, OTHER_TENANT, both)).toEqual(forged);
    const common = signClientState(['common secret'], TENANT, 'n');
    expect(verifyClientState(common, TENANT, both)).toEqual(forged);
  });

  it('is told from a secret that holds an equals sign', () => {
    expect(splitSecret('c2VjcmV0IG9mIHRoaXJ0eS1zaXggY2hhcnM=')).toEqual({
      secret: 'c2VjcmV0IG9mIHRoaXJ0eS1zaXggY2hhcnM=',
    });
    expect(splitSecret(`${TENANT}=a=b`)).toEqual({ tenantId: TENANT, secret: 'a=b' });
  });
});
