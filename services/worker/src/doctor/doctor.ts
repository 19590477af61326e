/** All checks, side by side where none needs another's answer; their findings come in one order all the same. */
import type { Environment } from '@graph2kafka/shared';
import type { WorkerConfig } from '../config.ts';
import { createAccessTokens, createCredential } from '../graph/access-tokens.ts';
import type { AzureToken } from '../kafka/connection-of-settings.ts';
import { endpointsOf } from '../tenants/clouds.ts';
import { type CheckName, type Finding, ok, type Remark, warning } from './finding.ts';
import { checkGraph } from './graph-check.ts';
import { checkKafka, KAFKA_SETTINGS } from './kafka-check.ts';
import { checkPublicUrl } from './public-url-check.ts';
import { type ReadSettings, readSettings } from './read-settings.ts';
import { type ReadWanted, readWanted } from './read-wanted.ts';
import { checkRedis, REDIS_SETTINGS } from './redis-check.ts';
import { runCheck } from './run-check.ts';
import { checkSettings, isMicrosofts } from './settings-check.ts';
import { checkSignIn, SIGN_IN_WITHIN_MS, type TenantToCheck } from './sign-in-check.ts';
import { checkSubscriptions } from './subscriptions-check.ts';
import { notificationUrlsOf } from './url-form.ts';

export type DoctorDeps = {
  readonly environment: Environment;
  /** Epoch milliseconds. */
  readonly now: () => number;
};

/** The findings of one check after the other, each as soon as it and those before it are known. */
export async function* examine({ environment, now }: DoctorDeps): AsyncGenerator<readonly Finding[]> {
  const settings = await readSettings(environment);
  const wanted = await readWanted(settings, environment, now);
  yield* inOrder([
    runCheck('settings', WITHIN_MS, async () => checkSettings(settings, wanted.secretProblems)),
    runCheck('subscriptions', WITHIN_MS, async () => checkSubscriptions(wanted)),
    ...examineTenants(settings, wanted, now),
    ...examineUrls(settings, now),
    examineRedis(settings),
    examineKafka(settings, wanted),
  ]);
}

/** Of one check; three of its round trips may each time out within. */
const WITHIN_MS = 15_000;
/** Name, TLS and the 10 s that a handshake may take. */
const URL_WITHIN_MS = 20_000;

async function* inOrder(checks: readonly Promise<Finding[]>[]): AsyncGenerator<readonly Finding[]> {
  for (const check of checks) yield await check;
}

function say(check: CheckName, remark: Remark): Promise<Finding[]> {
  return runCheck(check, WITHIN_MS, async () => [remark]);
}

function notLooked(check: CheckName): Promise<Finding[]> {
  return say(check, warning('not looked at: a setting that it takes is wrong', 'correct the settings first'));
}

const AZURE_SETTINGS = [
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_FEDERATION',
  'AZURE_AUTHORITY_HOST',
  'GRAPH_CLOUD',
  'GRAPH_URL',
  'GRAPH_SCOPE',
] as const;

type AzureSettings = Pick<WorkerConfig, (typeof AZURE_SETTINGS)[number]>;

/** Those that the worker serves, as `createTenants` has them: the one of AZURE_TENANT_ID is the first. */
function tenantsOf(config: AzureSettings, further: ReadWanted['tenants']): TenantToCheck[] {
  const endpoints = endpointsOf(config);
  const isNamed = config.AZURE_AUTHORITY_HOST !== undefined || config.GRAPH_CLOUD !== 'global';
  const authorityHost = isNamed ? endpoints.loginUrl : undefined;
  const where = { federation: config.AZURE_FEDERATION, authorityHost, endpoints };
  const { AZURE_TENANT_ID: id, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret } = config;
  return [
    { name: undefined, id, clientId, clientSecret, ...where },
    ...further.map(({ tenant, clientSecret }) => ({
      name: tenant.name,
      id: tenant.id,
      clientId: tenant.clientId,
      clientSecret,
      ...where,
    })),
  ];
}

/** Each tenant signs in by itself; Graph is asked once, as the first of them. */
function examineTenants(
  settings: ReadSettings,
  { wishes, entries, tenants }: ReadWanted,
  now: () => number,
): Promise<Finding[]>[] {
  const config = settings.part(AZURE_SETTINGS);
  if (!config) return [notLooked('sign-in'), notLooked('graph')];
  const [own, ...others] = tenantsOf(config, tenants).map((tenant) => {
    const isIts = ({ tenantId }: { readonly tenantId: string }) => tenantId === tenant.id;
    const people = entries.filter(isIts).flatMap((entry) => entry.people ?? []);
    const wanted = wishes && { wishes: wishes.filter(isIts), people };
    return { tenant, signedIn: checkSignIn(tenant, wanted, now) };
  });
  if (!own) return [];
  const { endpoints } = own.tenant;
  return [
    ...[own, ...others].map(({ signedIn }) =>
      runCheck('sign-in', SIGN_IN_WITHIN_MS + WITHIN_MS, async () => (await signedIn).remarks),
    ),
    runCheck('graph', SIGN_IN_WITHIN_MS + WITHIN_MS, async (signal) =>
      checkGraph(endpoints.graphUrl, (await own.signedIn).token, now, signal),
    ),
  ];
}

function examineUrls(settings: ReadSettings, now: () => number): Promise<Finding[]>[] {
  const config = settings.part([
    'NOTIFICATION_URL',
    'LIFECYCLE_NOTIFICATION_URL',
    'GRAPH_CLOUD',
    'GRAPH_URL',
  ]);
  if (!config) return [notLooked('public-url')];
  const urls = notificationUrlsOf(config);
  if (urls.length === 0) return [say('public-url', ok('NOTIFICATION_URL is not set'))];
  const onInternet = isMicrosofts(endpointsOf(config).graphUrl);
  return [
    runCheck('public-url', URL_WITHIN_MS, async (signal) => {
      const found = await Promise.all(urls.map((url) => checkPublicUrl(url, { onInternet, now }, signal)));
      return withoutRepeats(found.flat());
    }),
  ];
}

/** Both URLs are mostly of one host. */
function withoutRepeats(remarks: readonly Remark[]): Remark[] {
  return [...new Map(remarks.map((remark) => [remark.found, remark])).values()];
}

function examineRedis(settings: ReadSettings): Promise<Finding[]> {
  const place = settings.part(REDIS_SETTINGS);
  if (!place) return notLooked('redis');
  return runCheck('redis', WITHIN_MS, (signal) => checkRedis(place, signal));
}

function examineKafka(settings: ReadSettings, { wishes, tenants }: ReadWanted): Promise<Finding[]> {
  const place = settings.part(KAFKA_SETTINGS);
  if (!place) return notLooked('kafka');
  const declared = tenants.map(({ tenant }) => tenant);
  const named = {
    records: [...(wishes ?? []), ...declared].flatMap(({ topic }) => topic ?? []),
    deadLetters: declared.flatMap(({ deadLetterTopic }) => deadLetterTopic ?? []),
  };
  return runCheck('kafka', WITHIN_MS, (signal) => checkKafka(place, named, azureTokenOf(settings), signal));
}

/** Event Hubs trust the identity that reads from Graph; where that cannot be told, the sign-in is refused. */
function azureTokenOf(settings: ReadSettings): AzureToken {
  return (scope) => {
    const config = settings.part(AZURE_SETTINGS);
    const [tenant] = config ? tenantsOf(config, []) : [];
    if (!tenant) return Promise.reject(new Error('AZURE_TENANT_ID or AZURE_CLIENT_ID is wrong'));
    const { id: tenantId, ...login } = tenant;
    const newCredential = () => createCredential({ tenantId, ...login });
    return createAccessTokens(newCredential, scope).current();
  };
}
