/** Bearer tokens for Graph from @azure/identity: cached, one request at a time, replaceable when Graph refuses one. */
import { ClientSecretCredential, DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { GraphError } from './graph-error.ts';

export type AccessTokens = {
  /** A token; the same one until it is about to expire. Rejects with a `GraphError` "unauthorized". */
  current(): Promise<string>;
  /** After a 401 for `refused`: a token that is not that one. Many callers at once cause one request. */
  afterRefusal(refused: string): Promise<string>;
};

export type RenewableTokens = AccessTokens & {
  /** To be called when the secret was replaced: the next token is asked for with the new one. */
  renewCredential(): void;
};

export type CredentialSettings = {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Where to sign in; absent: the public cloud. */
  readonly authorityHost: string | undefined;
};

/** The client secret where one is set, else what the platform offers (managed identity, federation, Azure CLI). */
export function createCredential({
  tenantId,
  clientId,
  clientSecret,
  authorityHost,
}: CredentialSettings): TokenCredential {
  if (clientSecret === undefined) {
    return new DefaultAzureCredential({
      tenantId,
      managedIdentityClientId: clientId,
      ...authority(authorityHost),
    });
  }
  return new ClientSecretCredential(tenantId, clientId, clientSecret, authority(authorityHost));
}

/** Entra's own hosts confirm each other; any other one is the operator's word (a simulator, a private cloud). */
function authority(authorityHost: string | undefined) {
  return authorityHost === undefined ? {} : { authorityHost, disableInstanceDiscovery: true };
}

/** `newCredential` is called again where the old one will not do: it has no way to drop what it has cached. */
export function createAccessTokens(newCredential: () => TokenCredential, scope: string): RenewableTokens {
  let credential = newCredential();
  let refusedToken: string | undefined;
  let pending: Promise<string> | undefined;

  async function request(): Promise<string> {
    try {
      const token = await credential.getToken(scope, { abortSignal: AbortSignal.timeout(10_000) });
      if (!token) throw new Error('the credential gave no token');
      return token.token;
    } catch (error) {
      // Without its cause, whose text is what the login has answered: it may repeat what it was sent.
      throw new GraphError({ kind: 'unauthorized', detail: signInProblem(error) });
    }
  }

  function current(): Promise<string> {
    pending ??= request().finally(() => {
      pending = undefined;
    });
    return pending;
  }

  function renewCredential(): void {
    credential = newCredential();
    pending = undefined;
  }

  return {
    current,
    afterRefusal(refused) {
      if (refusedToken !== refused) {
        refusedToken = refused;
        renewCredential();
      }
      return current();
    },
    renewCredential,
  };
}

/** Entra's code says what is wrong (AADSTS7000215: wrong secret); its text may hold more than a log should. */
function signInProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [known] =
    /AADSTS\d+|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|CERT_\w+/.exec(text) ?? [];
  return `no token: ${known ?? (error instanceof Error ? error.name : 'unknown error')}`;
}
