/** A reference → the secret that it names, from wherever it is kept. */
import type { Environment } from '../parse-config.ts';
import { type KeyVaultAccess, platformTokens, readKeyVault } from './read-key-vault.ts';
import { readSecretFile } from './read-secret-file.ts';
import { readSecretManager, type SecretManagerAccess } from './read-secret-manager.ts';
import { SecretError } from './secret-error.ts';
import type { SecretReference } from './secret-reference.ts';

/** Rejects with a `SecretError`. */
export type ReadSecret = (reference: SecretReference) => Promise<string>;

export function createSecretReader(
  keyVault: KeyVaultAccess,
  secretManager: SecretManagerAccess = {},
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
  return async (reference) => usable(await readRaw(reference));
}

/** As the platform's identity, by what the platform has put into the environment. */
export function platformSecretReader(environment: Environment): ReadSecret {
  const { MANAGED_IDENTITY_CLIENT_ID: clientId, AZURE_FEDERATED_TOKEN_FILE: federated } = environment;
  const tokenFor = platformTokens({
    managedIdentityClientId: clientId || undefined,
    hasWorkloadIdentity: Boolean(federated),
  });
  return createSecretReader({ tokenFor });
}

/** Editors and `echo` end a file with a line's end; inside of a secret one is a mistake. */
function usable(content: string): string {
  const secret = content.replace(/\r?\n$/, '');
  if (secret === '') throw new SecretError('is empty');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f\ufffd]/.test(secret))
    throw new SecretError('holds line ends or other control characters');
  return secret;
}
