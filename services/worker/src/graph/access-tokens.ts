/**
 * Bearer tokens for Graph from @azure/identity: asked for one request at a time, renewed before they end, used to their
 * end where the login is away, replaceable when Graph refuses one.
 */
import { once } from 'node:events';
import {
  type AccessToken,
  ClientSecretCredential,
  DefaultAzureCredential,
  type TokenCredential,
} from '@azure/identity';
import { createGoogleFederation } from './google-federation.ts';
import { GraphError } from './graph-error.ts';
import { type HeldToken, hold, isRefreshDue, isUsable } from './held-token.ts';
import { explainNoToken, findWhyNoToken, type Login } from './no-token.ts';

export type AccessTokens = {
  /** A token; the same one until a newer one is there. Rejects with a `GraphError` "unauthorized". */
  current(): Promise<string>;
  /** After a 401 for `refused`: a token that is not that one. Many callers at once cause one request. */
  afterRefusal(refused: string): Promise<string>;
};

export type RenewableTokens = AccessTokens & {
  /** To be called when the secret was replaced: the next token is asked for with the new one. */
  renewCredential(): void;
  /** Has a new token asked for, since an older one does not know a consent that was given; the one that is held does until then. */
  askAnew(): void;
};

export type CredentialSettings = {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Who vouches for the app where there is no secret; absent: what the platform offers. */
  readonly federation?: 'google' | undefined;
  /** Where to sign in; absent: the public cloud. */
  readonly authorityHost: string | undefined;
};

/** The client secret where one is set, else what the platform offers (managed identity, federation, Azure CLI). */
export function createCredential({
  tenantId,
  clientId,
  clientSecret,
  federation,
  authorityHost,
}: CredentialSettings): TokenCredential {
  if (clientSecret === undefined && federation === 'google')
    return createGoogleFederation(tenantId, clientId, authority(authorityHost));
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

/** A login answers in less than a second; the credential itself would wait for ever. */
const LOGIN_TIMEOUT_MS = 10_000;

export type TokenOptions = {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly loginTimeoutMs?: number;
  /** Asked why there is no token where the credential does not say; nobody is without it. */
  readonly login?: Login;
};

/** `newCredential` is called again where the old one will not do: it has no way to drop what it has cached. */
export function createAccessTokens(
  newCredential: () => TokenCredential,
  scope: string,
  { now = Date.now, loginTimeoutMs = LOGIN_TIMEOUT_MS, login }: TokenOptions = {},
): RenewableTokens {
  let credential = newCredential();
  let refusedToken: string | undefined;
  let held: HeldToken | undefined;
  let pending: Promise<string> | undefined;

  async function request(): Promise<string> {
    const asked = credential;
    const answer = await askWithin(asked, scope, loginTimeoutMs, login);
    // The secret was replaced meanwhile: whoever waits has the token, and the next one is asked for anew.
    if (asked === credential) held = hold(answer, now());
    return answer.token;
  }

  function refresh(): Promise<string> {
    if (pending) return pending;
    const asked = request().finally(() => {
      if (pending === asked) pending = undefined;
    });
    pending = asked;
    return asked;
  }

  async function current(): Promise<string> {
    if (!held || !isUsable(held, now())) return refresh();
    if (isRefreshDue(held, now())) {
      held = { ...held, triedAt: now() };
      // The one that is held does until its end: what fails here is tried again before that.
      refresh().catch(() => undefined);
    }
    return held.token;
  }

  function renewCredential(): void {
    credential = newCredential();
    held = undefined;
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
    askAnew() {
      credential = newCredential();
      pending = undefined;
      refresh().catch(() => undefined);
    },
  };
}

async function askWithin(
  credential: TokenCredential,
  scope: string,
  ms: number,
  login: Login | undefined,
): Promise<AccessToken> {
  // A credential with a secret takes no notice of the signal; others do.
  const signal = AbortSignal.timeout(ms);
  try {
    const answer = await Promise.race([
      credential.getToken(scope, { abortSignal: signal }),
      once(signal, 'abort').then(() => undefined),
    ]);
    if (!answer) throw new Error('the credential gave no token');
    return answer;
  } catch (error) {
    // Without its cause, whose text is what the login has answered: it may repeat what it was sent.
    const detail = signal.aborted ? 'no answer in time' : await reasonOf(error, login);
    throw new GraphError({ kind: 'unauthorized', detail: `no token: ${detail}` });
  }
}

async function reasonOf(error: unknown, login: Login | undefined): Promise<string> {
  const { found } = login
    ? await findWhyNoToken(error, login)
    : explainNoToken(error, { loginHost: 'the login', hasSecret: true });
  return found;
}
