/** Whether the app gets a token, and what that allows; with the simulator's login, and tokens as Entra makes them. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessToken } from '@azure/identity';
import { freePort } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WantedInTenant } from '../../src/doctor/permissions.ts';
import { checkSignIn, judgeToken, type TenantToCheck } from '../../src/doctor/sign-in-check.ts';
import { signInProblem } from '../../src/doctor/sign-in-problems.ts';
import { explainNoToken } from '../../src/graph/no-token.ts';
import { type CloudName, endpointsOf } from '../../src/tenants/clouds.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { simulateGraph } from '../support/simulated-graph.ts';
import { accessToken, CLIENT, TENANT } from './access-token.ts';
import { makeCertificates, serve, trust } from './https-stand-ins.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const CALENDARS: WantedInTenant = { wishes: [{ resource: `users/${randomUUID()}/events` }], people: [] };

function tenantAt(loginUrl: string, more: Partial<TenantToCheck> = {}): TenantToCheck {
  const endpoints = endpointsOf({
    GRAPH_CLOUD: 'global',
    GRAPH_URL: loginUrl,
    AZURE_AUTHORITY_HOST: loginUrl,
  });
  return {
    name: undefined,
    id: TENANT,
    clientId: CLIENT,
    clientSecret: 'PLANTED-SECRET',
    authorityHost: loginUrl,
    endpoints,
    ...more,
  };
}

describe('a sign-in', () => {
  it('that works says for whom and how long, and shows no token', async () => {
    const { simulator } = await simulateGraph();
    const { clientSecret, url } = simulator;
    const { remarks, token } = await checkSignIn(tenantAt(url, { clientSecret }), CALENDARS, Date.now);
    expect(remarks).toEqual([
      { level: 'ok', found: `app ${CLIENT} signs in to tenant ${TENANT}; the token lasts 60 minutes` },
      { level: 'ok', found: expect.stringContaining('names no permissions') },
    ]);
    expect(token).toMatch(/\./);
    expect(JSON.stringify(remarks)).not.toContain(token);
  });

  it.each<[string, Partial<TenantToCheck>, string, string]>([
    ['a wrong secret', {}, 'AADSTS7000215', 'not its id'],
    ['an unknown app', { clientId: randomUUID() }, 'AADSTS700016', 'AZURE_CLIENT_ID'],
    ['an unknown tenant', { id: randomUUID() }, 'AADSTS90002', 'AZURE_TENANT_ID'],
  ])('with %s is an error that names what to correct', async (_name, more, code, cure) => {
    const { simulator } = await simulateGraph();
    const { remarks, token } = await checkSignIn(tenantAt(simulator.url, more), CALENDARS, Date.now);
    expect(token).toBeUndefined();
    expect(remarks).toEqual([
      { level: 'error', found: expect.stringContaining(`(${code})`), cure: expect.stringContaining(cure) },
    ]);
    expect(JSON.stringify(remarks)).not.toContain('PLANTED');
  });

  it('of an app whose consent was taken away says who can give it back', async () => {
    const { simulator } = await simulateGraph();
    const { clientSecret, url } = simulator;
    simulator.faults.add({ on: 'consent', at: 'login' });
    const { remarks } = await checkSignIn(tenantAt(url, { clientSecret }), CALENDARS, Date.now);
    expect(remarks).toMatchObject([
      {
        level: 'error',
        found: expect.stringContaining('AADSTS7000229'),
        cure: expect.stringContaining('consent'),
      },
    ]);
  });

  it('at a login that is not there, or silent, says so', async () => {
    const nowhere = await checkSignIn(tenantAt(`https://127.0.0.1:${await freePort()}`), CALENDARS, Date.now);
    expect(nowhere.remarks).toMatchObject([
      { level: 'error', found: expect.stringContaining('refuses connections (ECONNREFUSED)') },
    ]);
    const { address } = await startBlackHole();
    const silent = await checkSignIn(tenantAt(`https://${address}`), CALENDARS, Date.now, 200);
    expect(silent.remarks).toMatchObject([
      { level: 'error', found: expect.stringContaining(`${address} gives no answer within 0.2 s`) },
    ]);
  });

  it('in a tenant that the login has never heard of is an error by its number', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const { root, whole } = await makeCertificates(dir);
    trust(root);
    // Entra answers so before any token is asked for; the library tells no more of it than that it failed.
    const login = await serve(whole, (_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant PLANTED not found."}');
    });
    const { remarks } = await checkSignIn(tenantAt(login), CALENDARS, Date.now);
    expect(remarks).toMatchObject([
      { level: 'error', found: expect.stringContaining('no such tenant here (AADSTS90002)') },
    ]);
    expect(JSON.stringify(remarks)).not.toContain('PLANTED');
  });
});

describe('a number of Entra', () => {
  const settings = { name: undefined, tenantId: TENANT, clientId: CLIENT };
  const whyNot = (text: string, hasSecret = true) =>
    explainNoToken(new Error(text), { loginHost: 'login.microsoftonline.com', hasSecret });
  const judge = (text: string, hasSecret = true) => signInProblem(whyNot(text, hasSecret), settings);

  it.each([
    [
      'AADSTS7000222: The provided client secret keys for app PLANTED are expired.',
      'has expired (AADSTS7000222)',
      'make a new one',
    ],
    ['AADSTS500011: The resource principal named PLANTED was not found', 'AADSTS500011', 'GRAPH_CLOUD'],
    [
      'AADSTS65001: The user or administrator has not consented PLANTED',
      'AADSTS65001',
      'Grant admin consent',
    ],
    ['AADSTS123456: PLANTED', 'AADSTS123456', 'https://login.microsoftonline.com/error?code=123456'],
    ['getaddrinfo ENOTFOUND login.microsoftonline.com', 'cannot be resolved (ENOTFOUND)', 'DNS'],
  ])('%j is explained without its text', (text, found, cure) => {
    const problem = judge(text);
    expect(problem.found).toContain(found);
    expect(problem.cure).toContain(cure);
    expect(JSON.stringify(problem)).not.toContain('PLANTED');
  });

  it('of a further tenant is cured where subscriptions.yaml has it', () => {
    const problem = signInProblem(whyNot('AADSTS7000222'), { ...settings, name: 'contoso' });
    expect(problem.found).toContain('in tenant contoso: the client secret has expired');
    expect(problem.cure).toContain('the secret that tenants.contoso.clientSecret names');
  });

  it('is not there where the platform has no identity', () => {
    expect(judge('ChainedTokenCredential failed', false).cure).toContain('set AZURE_CLIENT_SECRET, or give');
  });
});

describe('a token of Entra', () => {
  const judge = (answer: AccessToken, cloud: CloudName = 'global', wanted = CALENDARS) => {
    const endpoints = endpointsOf({ GRAPH_CLOUD: cloud });
    const tenant = {
      name: undefined,
      id: TENANT,
      clientId: CLIENT,
      clientSecret: 'x',
      authorityHost: undefined,
      endpoints,
    };
    return judgeToken(answer, tenant, wanted, NOW).map(({ level, found }) => `${level}: ${found}`);
  };

  it('is compared with what is wanted', () => {
    expect(judge(accessToken({ roles: ['Calendars.Read'] }, NOW))).toEqual([
      expect.stringContaining('the token lasts 60 minutes'),
      'ok: granted as wanted: Calendars.Read',
    ]);
    expect(judge(accessToken({ roles: ['Mail.ReadWrite'] }, NOW)).slice(1)).toEqual([
      'error: the permission Calendars.Read (event) is not granted',
      'warning: granted and not needed by subscriptions.yaml: Mail.ReadWrite',
    ]);
  });

  it('without roles grants nothing', () => {
    expect(judge(accessToken({}, NOW)).slice(1)).toEqual([
      'error: the permission Calendars.Read (event) is not granted',
    ]);
  });

  it('that is wider than needed, or for what no app may, is a warning', () => {
    const wishes = [...CALENDARS.wishes, { resource: 'communications/presences' }];
    expect(
      judge(accessToken({ roles: ['Calendars.ReadWrite'] }, NOW), 'global', { wishes, people: [] }).slice(2),
    ).toEqual([
      'warning: Calendars.ReadWrite is granted in place of Calendars.Read, which is what Graph names for subscriptions',
      'warning: Graph names no application permission for a presence: it may refuse the subscription',
    ]);
  });

  it('of another cloud is an error', () => {
    const roles = ['Calendars.Read'];
    const government = {
      iss: `https://login.microsoftonline.us/${TENANT}/v2.0`,
      aud: 'https://graph.microsoft.us',
      roles,
    };
    expect(
      judge(accessToken(government, NOW), 'us-government').filter((line) => line.startsWith('error')),
    ).toEqual([]);
    expect(judge(accessToken(government, NOW))[1]).toMatch(
      /^error: the token was issued by https:\/\/login\.microsoftonline\.us/,
    );
    expect(judge(accessToken({ roles }, NOW), 'us-government')[1]).toMatch(
      /^error: the token is for https:\/\/graph\.microsoft\.com/,
    );
  });

  it('that cannot be read is a warning, and is not shown', () => {
    const lines = judge({ token: 'PLANTED-OPAQUE', expiresOnTimestamp: NOW + 60_000 });
    expect(lines[1]).toMatch(/^warning: the token cannot be read/);
    expect(lines.join()).not.toContain('PLANTED');
  });
});
