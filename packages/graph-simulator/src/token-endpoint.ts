// The login authority: client-credentials tokens, and beside them what it publishes of itself.
import { timingSafeEqual } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import type { AccessTokens, Application } from './access-tokens.ts';
import { createAuthorityMetadata } from './authority-metadata.ts';
import type { Faults } from './faults.ts';
import type { RequestIds } from './graph-exchange.ts';
import type { ValidationTokens } from './validation-tokens.ts';

export interface TokenEndpointDeps {
  readonly tokens: AccessTokens;
  readonly faults: Faults;
  /** Their keys are published here, beside those of nothing else: access tokens are opaque to clients. */
  readonly validationTokens: ValidationTokens;
  /** The only resource that a scope may name; any where it is undefined. */
  readonly graphResource: string | undefined;
  readonly now: () => number;
  readonly idsOf: (request: Request) => RequestIds;
}

/** An answer in Entra's error shape; the AADSTS number is the first word of the description. */
interface TokenRefusal {
  readonly status: number;
  readonly error: string;
  readonly number: number;
  readonly text: string;
}

function refusal(status: number, error: string, number: number, text: string): TokenRefusal {
  return { status, error, number, text };
}

function sameSecret(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Which app asks, or why it gets no token (Entra page "OAuth 2.0 client credentials flow", error response). */
function authenticate(
  { tokens, faults, graphResource }: TokenEndpointDeps,
  tenantId: string,
  form: URLSearchParams,
): Application | TokenRefusal {
  const grantType = form.get('grant_type');
  const clientId = form.get('client_id') ?? '';
  const secret = form.get('client_secret');
  if (!tokens.hasTenant(tenantId)) {
    return refusal(400, 'invalid_request', 90002, `Tenant '${tenantId}' not found.`);
  }
  if (grantType === null) {
    return refusal(
      400,
      'invalid_request',
      900144,
      "The request body must contain the parameter: 'grant_type'.",
    );
  }
  if (grantType !== 'client_credentials') {
    return refusal(400, 'unsupported_grant_type', 70003, `The grant type '${grantType}' is not supported.`);
  }
  const application = tokens.application(tenantId, clientId);
  if (application === undefined) {
    return refusal(
      400,
      'unauthorized_client',
      700016,
      `Application '${clientId}' was not found in the directory.`,
    );
  }
  if (secret === null) {
    return refusal(401, 'invalid_client', 7000216, "'client_assertion' or 'client_secret' is required.");
  }
  if (!sameSecret(secret, application.clientSecret)) {
    return refusal(401, 'invalid_client', 7000215, 'Invalid client secret provided.');
  }
  const scope = form.get('scope');
  return (
    refuseScope(scope) ??
    refuseResource(scope, graphResource, application) ??
    refuseWithdrawn(faults, application) ??
    application
  );
}

/** What Entra says once the app's service principal, and with it the consent, has been removed from the tenant. */
function refuseWithdrawn(faults: Faults, application: Application): TokenRefusal | undefined {
  if (!faults.refusesToken(application)) return undefined;
  const { clientId, tenantId } = application;
  const text = `The client application '${clientId}' is missing service principal in the tenant '${tenantId}'.`;
  return refusal(400, 'unauthorized_client', 7000229, text);
}

function refuseScope(scope: string | null): TokenRefusal | undefined {
  if (scope === null || scope === '') {
    return refusal(400, 'invalid_request', 900144, "The request body must contain the parameter: 'scope'.");
  }
  // Any Graph host will do, as a client may name its cloud's; only the form is checked.
  if (!/^\S+\/\.default$/.test(scope)) {
    return refusal(
      400,
      'invalid_scope',
      70011,
      `The provided value for the input parameter 'scope' is not valid: ${scope}.`,
    );
  }
  return undefined;
}

/** A national cloud knows its own Graph alone; the number is what Entra says of a resource that is not there. */
function refuseResource(
  scope: string | null,
  graphResource: string | undefined,
  { tenantId }: Application,
): TokenRefusal | undefined {
  const resource = scope?.replace(/\/+\.default$/, '') ?? '';
  if (graphResource === undefined || resource.toLowerCase() === graphResource.toLowerCase()) return undefined;
  const text = `The resource principal named ${resource} was not found in the tenant named ${tenantId}.`;
  return refusal(400, 'invalid_resource', 500011, text);
}

function refusalBody(given: TokenRefusal, ids: RequestIds, nowMs: number): Record<string, unknown> {
  const timestamp = `${new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const trace = `Trace ID: ${ids.requestId} Correlation ID: ${ids.clientRequestId} Timestamp: ${timestamp}`;
  return {
    error: given.error,
    error_description: `AADSTS${given.number}: ${given.text} ${trace}`,
    error_codes: [given.number],
    timestamp,
    trace_id: ids.requestId,
    correlation_id: ids.clientRequestId,
  };
}

export function createTokenEndpoint(deps: TokenEndpointDeps): Router {
  const router = express.Router();
  router.post(
    '/:tenant/oauth2/v2.0/token',
    express.text({ type: 'application/x-www-form-urlencoded', limit: '64kb' }),
    (request, response) => answerToken(deps, request, response),
  );
  router.use(createAuthorityMetadata(deps.validationTokens));
  return router;
}

function answerToken(deps: TokenEndpointDeps, request: Request, response: Response): void {
  const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  const verdict = authenticate(deps, String(request.params.tenant).toLowerCase(), form);
  response.set('cache-control', 'no-store');
  if ('error' in verdict) {
    response.status(verdict.status).json(refusalBody(verdict, deps.idsOf(request), deps.now()));
    return;
  }
  const { accessToken, expiresInSeconds } = deps.tokens.issue(verdict);
  response.json({
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    ext_expires_in: expiresInSeconds,
    access_token: accessToken,
  });
}
