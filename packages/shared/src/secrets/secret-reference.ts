/**
 * The value of a secret setting may name where the secret is kept, instead of being it: `file:/run/secrets/name`,
 * `azurekeyvault://VAULT/SECRET`, `gcpsecretmanager://PROJECT/SECRET/VERSION`. Pure.
 */
import { isAbsolute } from 'node:path';

export type SecretReference =
  | { readonly kind: 'file'; readonly text: string; readonly path: string }
  | {
      readonly kind: 'keyVault';
      readonly text: string;
      /** Of Azure: a token for it goes nowhere else. */
      readonly host: string;
      readonly secret: string;
      /** Absent: the current one. */
      readonly version?: string;
    }
  | {
      readonly kind: 'secretManager';
      readonly text: string;
      readonly project: string;
      readonly secret: string;
      readonly version: string;
    };

/** A reference that is spelt wrong; the text says how it is spelt right, and never what was given. */
export class ReferenceSpellingError extends Error {
  override readonly name = 'ReferenceSpellingError';
}

const SCHEME = /^(file:|azurekeyvault:\/\/|gcpsecretmanager:\/\/)/;

/** Where Key Vault is, by cloud (Key Vault REST: DNS suffixes). */
const VAULT_HOST =
  /^[a-z][a-z0-9-]{1,22}[a-z0-9]\.(vault\.azure\.net|vault\.usgovcloudapi\.net|vault\.azure\.cn)$/i;
const VAULT = /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/i;

/** The reference that `text` is, or `undefined` where it is none; throws a `ReferenceSpellingError`. */
export function parseReference(text: string): SecretReference | undefined {
  const scheme = SCHEME.exec(text)?.[1];
  if (scheme === undefined) return undefined;
  const rest = text.slice(scheme.length);
  if (scheme === 'file:') return fileReference(text, rest);
  return scheme === 'azurekeyvault://' ? keyVaultReference(text, rest) : secretManagerReference(text, rest);
}

function fileReference(text: string, rest: string): SecretReference {
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  if (!isAbsolute(path) || path.startsWith('//'))
    throw new ReferenceSpellingError('a file is named with its whole path: file:/run/secrets/name');
  return { kind: 'file', text, path };
}

function keyVaultReference(text: string, rest: string): SecretReference {
  const [vault = '', secret = '', version, ...more] = rest.split('/');
  const host = VAULT.test(vault) ? `${vault}.vault.azure.net` : vault;
  const isRight =
    VAULT_HOST.test(host) &&
    /^[a-z0-9-]{1,127}$/i.test(secret) &&
    (version === undefined || /^[a-z0-9]{1,64}$/i.test(version)) &&
    more.length === 0;
  if (!isRight)
    throw new ReferenceSpellingError(
      'a secret in Key Vault is named azurekeyvault://VAULT/SECRET or azurekeyvault://VAULT/SECRET/VERSION; VAULT is its name or, in other clouds, its host',
    );
  return { kind: 'keyVault', text, host, secret, ...(version === undefined ? {} : { version }) };
}

function secretManagerReference(text: string, rest: string): SecretReference {
  const [project = '', secret = '', version = '', ...more] = rest.split('/');
  const isRight =
    /^[a-z0-9][a-z0-9-]{1,61}$/.test(project) &&
    /^[\w-]{1,255}$/.test(secret) &&
    /^[\w-]{1,63}$/.test(version) &&
    more.length === 0;
  if (!isRight)
    throw new ReferenceSpellingError(
      'a secret in Secret Manager is named gcpsecretmanager://PROJECT/SECRET/VERSION; VERSION may be latest',
    );
  return { kind: 'secretManager', text, project, secret, version };
}
