/** A secret from Azure Key Vault (REST: GetSecret), signed in as the platform's identity. */
import { SecretError } from './secret-error.ts';
import type { SecretReference } from './secret-reference.ts';
import { requestJson } from './secret-request.ts';

type KeyVaultReference = Extract<SecretReference, { kind: 'keyVault' }>;

export type KeyVaultAccess = {
  /** A bearer token for this scope; rejects where nobody is signed in. */
  readonly tokenFor: (scope: string) => Promise<string>;
  /** Where a vault is reached; only tests bring another place. */
  readonly originOf?: (host: string) => string;
};

const API_VERSION = '7.4';

/** Throws a `SecretError`. */
export async function readKeyVault(
  { host, secret, version }: KeyVaultReference,
  { tokenFor, originOf = (name) => `https://${name}` }: KeyVaultAccess,
): Promise<string> {
  // What stands behind the vault's own name is the cloud's resource: https://vault.azure.net.
  const scope = `https://${host.slice(host.indexOf('.') + 1).toLowerCase()}/.default`;
  const token = await tokenFor(scope).catch((error: unknown) => {
    throw new SecretError('no token for Key Vault: give the service a managed identity that may read it', {
      cause: error,
    });
  });
  const path = version === undefined ? `/secrets/${secret}` : `/secrets/${secret}/${version}`;
  const url = new URL(`${path}?api-version=${API_VERSION}`, originOf(host));
  const { json } = await requestJson('Key Vault', url, { authorization: `Bearer ${token}` });
  if (typeof json.value !== 'string') throw new SecretError('Key Vault answered without a value');
  return json.value;
}

/**
 * Tokens of workload identity where it is set up, else of the managed identity, else of the Azure CLI. Not
 * `DefaultAzureCredential`: it would sign in with AZURE_CLIENT_SECRET, whose value may be the very reference to be read.
 * The library is loaded when the first reference needs it: it costs a start some 0.3 s.
 */
export function platformTokens(options: {
  readonly managedIdentityClientId: string | undefined;
  readonly hasWorkloadIdentity: boolean;
}): KeyVaultAccess['tokenFor'] {
  let credential: Promise<{ getToken(scope: string): Promise<{ token: string } | null> }> | undefined;
  return async (scope) => {
    credential ??= createCredential(options);
    const token = await (await credential).getToken(scope);
    if (token === null) throw new Error('the credential gave no token');
    return token.token;
  };
}

async function createCredential({
  managedIdentityClientId,
  hasWorkloadIdentity,
}: Parameters<typeof platformTokens>[0]) {
  const identity = await import('@azure/identity');
  if (hasWorkloadIdentity) return new identity.WorkloadIdentityCredential();
  return new identity.ChainedTokenCredential(
    managedIdentityClientId === undefined
      ? new identity.ManagedIdentityCredential()
      : new identity.ManagedIdentityCredential({ clientId: managedIdentityClientId }),
    new identity.AzureCliCredential(),
  );
}
