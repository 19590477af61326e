import { describe, expect, it } from 'vitest';
import { parseReference } from '../../src/secrets/secret-reference.ts';

describe('parseReference', () => {
  it.each([
    'a secret of its own',
    'filed under f',
    'https://vault.azure.net/secrets/x',
    'redis://:password@host',
    '',
  ])('takes %j for the secret itself', (text) => {
    expect(parseReference(text)).toBeUndefined();
  });

  it.each([
    ['file:/run/secrets/name', { kind: 'file', path: '/run/secrets/name' }],
    ['file:///run/secrets/name', { kind: 'file', path: '/run/secrets/name' }],
    ['azurekeyvault://my-vault/name', { kind: 'keyVault', host: 'my-vault.vault.azure.net', secret: 'name' }],
    [
      'azurekeyvault://my-vault/name/4387e9f3d6e14c459867679a90fd0f79',
      {
        kind: 'keyVault',
        host: 'my-vault.vault.azure.net',
        secret: 'name',
        version: '4387e9f3d6e14c459867679a90fd0f79',
      },
    ],
    [
      'azurekeyvault://my-vault.vault.usgovcloudapi.net/name',
      { kind: 'keyVault', host: 'my-vault.vault.usgovcloudapi.net', secret: 'name' },
    ],
    [
      'gcpsecretmanager://my-project/my_secret/latest',
      { kind: 'secretManager', project: 'my-project', secret: 'my_secret', version: 'latest' },
    ],
    [
      'gcpsecretmanager://123456789/my-secret/7',
      { kind: 'secretManager', project: '123456789', secret: 'my-secret', version: '7' },
    ],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual({ ...expected, text });
  });

  it.each([
    'file:',
    'file:relative',
    'file://host/path',
    'file:////path',
    'azurekeyvault://vault',
    'azurekeyvault:///name',
    'azurekeyvault://vault/na me',
    'azurekeyvault://vault/name/version/more',
    // The token would go there.
    'azurekeyvault://elsewhere.example/name',
    'azurekeyvault://elsewhere.example#.vault.azure.net/name',
    'azurekeyvault://a@b.vault.azure.net/name',
    'azurekeyvault://vault/../name',
    'gcpsecretmanager://project/secret',
    'gcpsecretmanager://project/secret/1/more',
    'gcpsecretmanager://project/../secret/1',
    'gcpsecretmanager://pro?ject/secret/1',
  ])('refuses %s, and says how it is spelt right without repeating it', (text) => {
    const [scheme = ''] = text.split(/(?<=:)/);
    expect(() => parseReference(text)).toThrow(scheme);
    try {
      parseReference(text);
    } catch (error) {
      expect(String(error)).not.toContain(text === 'file:' ? 'file: ' : text);
    }
  });
});
