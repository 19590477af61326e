/** Which key is for which notification. */
import { describe, expect, it } from 'vitest';
import { chooseKey } from '../../src/rich/choose-key.ts';
import { readPrivateKeys } from '../../src/rich/private-keys.ts';
import { type Vector, vectorKeys } from './vectors.ts';

const [first, second] = vectorKeys;
const { keys } = readPrivateKeys([
  { setting: 'KEYS', id: first.id, text: first.privateKey + first.certificate },
  { setting: 'KEYS', id: second.id, text: second.privateKey },
]);
const { content } = first.items[0] as Vector;

describe('the key for a notification', () => {
  it('is the one with the id that the notification names', () => {
    expect(chooseKey(keys, content)?.id).toBe(first.id);
    expect(chooseKey(keys, (second.items[0] as Vector).content)?.id).toBe(second.id);
  });

  it('is not held where no key has this id, not even one with the thumbprint', () => {
    expect(chooseKey(keys, { ...content, encryptionCertificateId: 'rotated' })).toBeUndefined();
    expect(chooseKey([], content)).toBeUndefined();
  });

  it('is not held where the id is now that of another certificate', () => {
    const names = { ...content, encryptionCertificateThumbprint: 'AB'.repeat(20) };
    expect(chooseKey(keys, names)).toBeUndefined();
  });

  it('is found by its id alone where no thumbprint is given, or in small letters', () => {
    const id = content.encryptionCertificateId;
    expect(chooseKey(keys, { encryptionCertificateId: id })?.id).toBe(id);
    const encryptionCertificateThumbprint = content.encryptionCertificateThumbprint.toLowerCase();
    expect(chooseKey(keys, { encryptionCertificateId: id, encryptionCertificateThumbprint })?.id).toBe(id);
  });
});
