/**
 * Microsoft's clouds: where Graph is, where to sign in, what a token is asked for (Graph: deployments). Each has
 * tenants, keys and issuers of its own (`rich/token-authority.ts`), and no token of one is good in another. Pure.
 */

export const CLOUD_NAMES = ['global', 'us-government', 'us-government-dod', 'china'] as const;

export type CloudName = (typeof CLOUD_NAMES)[number];

export type Endpoints = {
  /** Origin of Graph; tokens go nowhere else. */
  readonly graphUrl: string;
  readonly loginUrl: string;
  readonly scope: string;
};

const CLOUDS: Readonly<Record<CloudName, Omit<Endpoints, 'scope'>>> = {
  global: { graphUrl: 'https://graph.microsoft.com', loginUrl: 'https://login.microsoftonline.com' },
  'us-government': { graphUrl: 'https://graph.microsoft.us', loginUrl: 'https://login.microsoftonline.us' },
  'us-government-dod': {
    graphUrl: 'https://dod-graph.microsoft.us',
    loginUrl: 'https://login.microsoftonline.us',
  },
  china: { graphUrl: 'https://microsoftgraph.chinacloudapi.cn', loginUrl: 'https://login.chinacloudapi.cn' },
};

export type EndpointSettings = {
  readonly GRAPH_CLOUD: CloudName;
  /** These three replace the cloud's own: a simulator, a proxy. */
  readonly GRAPH_URL?: string | undefined;
  readonly AZURE_AUTHORITY_HOST?: string | undefined;
  readonly GRAPH_SCOPE?: string | undefined;
};

export function endpointsOf(settings: EndpointSettings): Endpoints {
  const cloud = CLOUDS[settings.GRAPH_CLOUD];
  return {
    graphUrl: new URL(settings.GRAPH_URL ?? cloud.graphUrl).origin,
    loginUrl: settings.AZURE_AUTHORITY_HOST ?? cloud.loginUrl,
    scope: settings.GRAPH_SCOPE ?? `${cloud.graphUrl}/.default`,
  };
}
