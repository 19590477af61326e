/** Whether the app gets a token for a tenant, whose the token is, until when, and what it allows. Shows no token. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AccessToken } from '@azure/identity';
import { decodeJwt, type JWTPayload } from 'jose';
import { createCredential } from '../graph/access-tokens.ts';
import { findWhyNoToken } from '../graph/no-token.ts';
import { authorityAt, issuerOf } from '../rich/token-authority.ts';
import { CLOUD_NAMES, type Endpoints, endpointsOf } from '../tenants/clouds.ts';
import { error, namesOf, ok, type Remark, warning } from './finding.ts';
import { comparePermissions, neededPermissions, type WantedInTenant } from './permissions.ts';
import { signInProblem } from './sign-in-problems.ts';

export type TenantToCheck = {
  /** As subscriptions.yaml calls it; undefined: the one of AZURE_TENANT_ID. */
  readonly name: string | undefined;
  readonly id: string;
  readonly clientId: string;
  /** Undefined: the platform signs in. */
  readonly clientSecret: string | undefined;
  readonly federation?: 'google' | undefined;
  /** Absent: the public cloud. */
  readonly authorityHost: string | undefined;
  readonly endpoints: Endpoints;
};

export type SignedIn = { readonly remarks: readonly Remark[]; readonly token: string | undefined };

/** A login answers in less than a second; the credential itself would wait for ever. */
export const SIGN_IN_WITHIN_MS = 10_000;

/** `wanted`: what is of this tenant; undefined where it is not known. */
export async function checkSignIn(
  tenant: TenantToCheck,
  wanted: WantedInTenant | undefined,
  now: () => number,
  withinMs = SIGN_IN_WITHIN_MS,
): Promise<SignedIn> {
  const { name, id: tenantId, clientId, clientSecret, endpoints } = tenant;
  const { host: loginHost } = new URL(endpoints.loginUrl);
  try {
    const answer = await askForToken(tenant, withinMs);
    if (answer) return { remarks: judgeToken(answer, tenant, wanted, now()), token: answer.token };
    const found = `no token for app ${clientId}: ${loginHost} gives no answer within ${withinMs / 1000} s`;
    return {
      remarks: [error(found, 'let this machine out to it (firewall, proxy, route)')],
      token: undefined,
    };
  } catch (thrown) {
    const { loginUrl } = endpoints;
    const why = await findWhyNoToken(thrown, { loginUrl, tenantId, hasSecret: clientSecret !== undefined });
    return { remarks: [signInProblem(why, { name, tenantId, clientId })], token: undefined };
  }
}

/** Undefined: no answer in time. A credential with a secret takes no notice of a signal; others do. */
async function askForToken(
  { id: tenantId, clientId, clientSecret, federation, authorityHost, endpoints }: TenantToCheck,
  withinMs: number,
): Promise<AccessToken | undefined> {
  const credential = createCredential({ tenantId, clientId, clientSecret, federation, authorityHost });
  const ended = new AbortController();
  const late = pause(withinMs, undefined, { signal: ended.signal }).catch(() => undefined);
  try {
    const asking = credential.getToken(endpoints.scope, { abortSignal: AbortSignal.timeout(withinMs) });
    asking.catch(() => undefined);
    return (await Promise.race([asking, late])) ?? undefined;
  } finally {
    ended.abort();
  }
}

/** `now` in epoch milliseconds. Pure. */
export function judgeToken(
  { token, expiresOnTimestamp }: AccessToken,
  tenant: TenantToCheck,
  wanted: WantedInTenant | undefined,
  now: number,
): Remark[] {
  const minutes = Math.round((expiresOnTimestamp - now) / 60_000);
  const signedIn = ok(
    `app ${tenant.clientId} signs in to tenant ${tenant.name ?? tenant.id}; the token lasts ${minutes} minutes`,
  );
  const claims = readClaims(token);
  // Other logins than Microsoft's are the operator's word.
  if (!isEntra(tenant.endpoints.loginUrl) && claims?.roles === undefined) {
    return [signedIn, ok("this login is none of Microsoft's, and its token names no permissions")];
  }
  if (!claims) {
    return [
      signedIn,
      warning(
        'the token cannot be read: which permissions are granted is not known',
        'compare them by hand (Entra: the app, API permissions)',
      ),
    ];
  }
  return [signedIn, ...judgeCloud(claims, tenant), ...judgePermissions(claims, wanted)];
}

/** For Graph to read and not for clients, says Microsoft; for people who look for a mistake it will do. */
function readClaims(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function isEntra(loginUrl: string): boolean {
  const { host } = new URL(loginUrl);
  return CLOUD_NAMES.some((cloud) => new URL(endpointsOf({ GRAPH_CLOUD: cloud }).loginUrl).host === host);
}

/** Graph as an audience, the same in every cloud. */
const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';

function judgeCloud({ iss, aud }: JWTPayload, { id, endpoints }: TenantToCheck): Remark[] {
  if (!isEntra(endpoints.loginUrl)) return [];
  const { issuers } = authorityAt(endpoints.loginUrl);
  const expected = Object.values(issuers)
    .flat()
    .map((pattern) => issuerOf(pattern, id));
  const isOurs = iss !== undefined && expected.includes(iss);
  const audience = String(aud ?? '').replace(/\/$/, '');
  const isForGraph = audience === GRAPH_APP_ID || audience === endpoints.scope.replace(/\/+\.default$/, '');
  if (isOurs && isForGraph) return [];
  const what = isOurs ? `is for ${audience || 'nobody'}` : `was issued by ${iss ?? 'nobody'}`;
  return [
    error(
      `the token ${what}, which is not of the cloud that GRAPH_CLOUD names`,
      'correct GRAPH_CLOUD, and take GRAPH_SCOPE and AZURE_AUTHORITY_HOST away',
    ),
  ];
}

const GRANT =
  'Entra: the app, API permissions, Microsoft Graph, Application permissions, then Grant admin consent';

function judgePermissions({ roles }: JWTPayload, wanted: WantedInTenant | undefined): Remark[] {
  const granted = Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
  if (!wanted || wanted.wishes.length === 0) {
    return [ok(`granted: ${namesOf(granted, 20) || 'nothing'}; no wanted subscription to compare with`)];
  }
  const needed = neededPermissions(wanted);
  const { missing, superfluous, wider } = comparePermissions(needed, granted);
  const notForApps = needed.without.map((kind) =>
    warning(
      `Graph names no application permission for a ${kind}: it may refuse the subscription`,
      `take it out of subscriptions.yaml if Graph does`,
    ),
  );
  const enough =
    missing.length === 0 ? [ok(`granted as wanted: ${namesOf([...needed.needed.keys()], 20)}`)] : [];
  return [
    ...enough,
    ...missing.map((each) => error(`the permission ${each} is not granted`, `grant it (${GRANT})`)),
    ...wider.map(({ held, named }) =>
      warning(
        `${held} is granted in place of ${named}, which is what Graph names for subscriptions`,
        `grant ${named} and take ${held} away`,
      ),
    ),
    ...(superfluous.length > 0
      ? [
          warning(
            `granted and not needed by subscriptions.yaml: ${namesOf(superfluous, 20)}`,
            'take away what nothing else of this app needs (Entra: the app, API permissions)',
          ),
        ]
      : []),
    ...notForApps,
  ];
}
