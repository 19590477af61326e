/** A reference → the secret that it names, from wherever it is kept. */
import type { Environment } from '../parse-config.ts';
import { type KeyVaultAccess, platformTokens, readKeyVault } from './read-key-vault.ts';
import { readSecretFile } from './read-secret-file.ts';
import { readSecretManager, type SecretManagerAccess } from './read-secret-manager.ts';
import { SecretError } from './secret-error.ts';
import type { SecretReference } from './secret-reference.ts';

/** Rejects with a `SecretError`. */
export type ReadSecret = (reference: SecretReference) => Promise<string>;

/** What a secret has to look like; throws a `SecretError`. */
type Form = (secret: string) => void;

export function createSecretReader(
  keyVault: KeyVaultAccess,
  secretManager: SecretManagerAccess = {},
  form: Form = oneLine,
): ReadSecret {
  const readRaw: ReadSecret = (reference) => {
    switch (reference.kind) {
      case 'file':
        return readSecretFile(reference.path);
      case 'keyVault':
        return readKeyVault(reference, keyVault);
      case 'secretManager':
        return readSecretManager(reference, secretManager);
    }
  };
  return async (reference) => usable(await readRaw(reference), form);
}

/** As the platform's identity, by what the platform has put into the environment. */
export function platformSecretReader(environment: Environment, form: Form = oneLine): ReadSecret {
  const { MANAGED_IDENTITY_CLIENT_ID: clientId, AZURE_FEDERATED_TOKEN_FILE: federated } = environment;
  const tokenFor = platformTokens({
    managedIdentityClientId: clientId || undefined,
    hasWorkloadIdentity: Boolean(federated),
  });
  return createSecretReader({ tokenFor }, { environment }, form);
}

/** Editors and `echo` end a file with a line's end. */
function usable(content: string, form: Form): string {
  const secret = content.replace(/\r?\n$/, '');
  if (secret === '') throw new SecretError('is empty');
  form(secret);
  return secret;
}

/** A password, a connection string: a line end inside of one is a mistake. Keys and certificates show what they are. */
function oneLine(secret: string): void {
  if (secret.startsWith('-----BEGIN ')) manyLines(secret);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  else if (/[\u0000-\u001f\u007f\ufffd]/.test(secret))
    throw new SecretError('holds line ends or other control characters');
}

/** Keys and certificates: PEM has lines. */
export function manyLines(secret: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/.test(secret))
    throw new SecretError('holds control characters');
}
