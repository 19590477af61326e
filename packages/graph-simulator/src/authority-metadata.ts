// What the login authority publishes of itself: where its calls are, who issues its tokens, which keys sign them.
import { type Request, type Response, Router } from 'express';
import {
  issuerFor,
  VALIDATION_ISSUERS,
  type ValidationTokens,
  type ValidationTokenVersion,
} from './validation-tokens.ts';

type Metadata = Readonly<Record<string, unknown>>;

/** Names that stand for every tenant; their metadata show the issuer with {tenantid} in it, as Microsoft's do. */
const SHARED_TENANTS: readonly string[] = ['common', 'organizations'];
/** As Microsoft's lists are sent. */
const KEYS_CACHE = 'max-age=86400, private';

const originOf = (request: Request) => `https://${request.headers.host}`;
const tenantOf = (request: Request) => String(request.params.tenant);

function issuerOf(tokens: ValidationTokens, version: ValidationTokenVersion): string {
  return tokens.version === version ? tokens.issuer : VALIDATION_ISSUERS[version];
}

function olderMetadata(tokens: ValidationTokens, origin: string, tenant: string): Metadata {
  const issuer = issuerOf(tokens, '1.0');
  return {
    issuer: SHARED_TENANTS.includes(tenant) ? issuer : issuerFor(issuer, tenant),
    authorization_endpoint: `${origin}/${tenant}/oauth2/authorize`,
    token_endpoint: `${origin}/${tenant}/oauth2/token`,
    jwks_uri: `${origin}/common/discovery/keys`,
    ...COMMON_METADATA,
  };
}

/** A tenant's issuer is this authority: the libraries that ask for tokens insist on their authority's own address. */
function newerMetadata(tokens: ValidationTokens, origin: string, tenant: string): Metadata {
  const authority = `${origin}/${tenant}`;
  return {
    issuer: SHARED_TENANTS.includes(tenant) ? issuerOf(tokens, '2.0') : `${authority}/v2.0`,
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    jwks_uri: `${authority}/discovery/v2.0/keys`,
    ...COMMON_METADATA,
  };
}

const COMMON_METADATA: Metadata = {
  token_endpoint_auth_methods_supported: ['client_secret_post'],
  response_types_supported: ['code'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
};

function instanceMetadata(host: string): Metadata {
  return {
    tenant_discovery_endpoint: `https://${host}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

async function sendKeys(response: Response, tokens: ValidationTokens, more: Metadata): Promise<void> {
  const keys = await tokens.keys.published();
  response.set('cache-control', KEYS_CACHE).json({ keys: keys.map((key) => ({ ...key, ...more })) });
}

/** `tokens` are the validation tokens; the keys of access tokens are not published, as those are opaque to clients. */
export function createAuthorityMetadata(tokens: ValidationTokens): Router {
  const router = Router();
  router.get('/common/discovery/instance', (request, response) => {
    response.json(instanceMetadata(String(request.headers.host)));
  });
  router.get('/:tenant/.well-known/openid-configuration', (request, response) => {
    response.json(olderMetadata(tokens, originOf(request), tenantOf(request)));
  });
  router.get('/:tenant/v2.0/.well-known/openid-configuration', (request, response) => {
    response.json(newerMetadata(tokens, originOf(request), tenantOf(request)));
  });
  router.get('/:tenant/discovery/keys', (_request, response) => sendKeys(response, tokens, {}));
  router.get('/:tenant/discovery/v2.0/keys', (_request, response) =>
    sendKeys(response, tokens, { issuer: issuerOf(tokens, '2.0') }),
  );
  return router;
}
