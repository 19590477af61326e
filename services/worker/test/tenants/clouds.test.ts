import { describe, expect, it } from 'vitest';
import { authorityAt } from '../../src/rich/token-authority.ts';
import { CLOUD_NAMES, endpointsOf } from '../../src/tenants/clouds.ts';

describe('a cloud', () => {
  // Graph: "National cloud deployments"; Entra: "National clouds", and the issuer of each one's openid-configuration.
  it.each([
    ['global', 'graph.microsoft.com', 'login.microsoftonline.com', 'sts.windows.net'],
    ['us-government', 'graph.microsoft.us', 'login.microsoftonline.us', 'sts.windows.net'],
    ['us-government-dod', 'dod-graph.microsoft.us', 'login.microsoftonline.us', 'sts.windows.net'],
    ['china', 'microsoftgraph.chinacloudapi.cn', 'login.chinacloudapi.cn', 'sts.chinacloudapi.cn'],
  ] as const)('is one word for Graph, sign-in, scope and issuers: %s', (name, graph, login, issuer) => {
    const endpoints = endpointsOf({ GRAPH_CLOUD: name });
    expect(endpoints).toEqual({
      graphUrl: `https://${graph}`,
      loginUrl: `https://${login}`,
      scope: `https://${graph}/.default`,
    });
    const { issuers, keysUrls } = authorityAt(endpoints.loginUrl);
    expect(issuers['1.0']).toEqual([`https://${issuer}/{tenantid}/`]);
    expect(keysUrls['2.0']).toBe(`https://${login}/common/discovery/v2.0/keys`);
  });

  it('is named in that list for each that there is', () => {
    expect(CLOUD_NAMES).toHaveLength(4);
  });

  it('gives way to what is named by itself', () => {
    const simulator = 'https://127.0.0.1:8443';
    expect(
      endpointsOf({ GRAPH_CLOUD: 'china', GRAPH_URL: `${simulator}/`, AZURE_AUTHORITY_HOST: simulator }),
    ).toEqual({
      graphUrl: simulator,
      loginUrl: simulator,
      scope: 'https://microsoftgraph.chinacloudapi.cn/.default',
    });
  });
});
