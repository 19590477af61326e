/**
 * Signing in at Entra without a client secret, as Google's service account: its identity token, meant for Entra, stands
 * where the secret would (Entra: "workload identity federation"). The app has a federated credential with the issuer
 * https://accounts.google.com, the account's numeric id as subject, and this audience.
 */
import { ClientAssertionCredential, type ClientAssertionCredentialOptions } from '@azure/identity';
import { readGoogleMetadata } from '@graph2kafka/shared';

const ENTRA_AUDIENCE = 'api://AzureADTokenExchange';

/** `metadataOrigin`: only tests bring another place. */
export function createGoogleFederation(
  tenantId: string,
  clientId: string,
  options: ClientAssertionCredentialOptions,
  metadataOrigin?: string,
): ClientAssertionCredential {
  // Asked for at each sign-in: the metadata server keeps it, and renews it before its hour is over.
  const assertion = () =>
    readGoogleMetadata(`identity?audience=${encodeURIComponent(ENTRA_AUDIENCE)}&format=full`, metadataOrigin);
  return new ClientAssertionCredential(tenantId, clientId, assertion, options);
}
