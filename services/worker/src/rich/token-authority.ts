/** Who may issue validation tokens in a cloud, and where the keys are published that sign them. Pure. */

/** A token's `ver`. The app registration of the subscriber decides which one Graph sends. */
export type TokenVersion = '1.0' | '2.0';

export type TokenAuthority = {
  /** With `{tenantid}` in place of the tenant's id. */
  readonly issuers: Readonly<Record<TokenVersion, readonly string[]>>;
  readonly keysUrls: Readonly<Record<TokenVersion, string>>;
};

type Issuers = TokenAuthority['issuers'];

const GLOBAL: Issuers = {
  '1.0': ['https://sts.windows.net/{tenantid}/'],
  '2.0': ['https://login.microsoftonline.com/{tenantid}/v2.0'],
};

const CHINA: Issuers = {
  '1.0': ['https://sts.chinacloudapi.cn/{tenantid}/'],
  '2.0': ['https://login.partner.microsoftonline.cn/{tenantid}/v2.0'],
};

/** By the `issuer` of each one's openid-configuration (Entra: authentication-national-cloud); China has two names. */
const CLOUDS: ReadonlyMap<string, Issuers> = new Map([
  ['login.microsoftonline.com', GLOBAL],
  [
    'login.microsoftonline.us',
    { '1.0': GLOBAL['1.0'], '2.0': ['https://login.microsoftonline.us/{tenantid}/v2.0'] },
  ],
  ['login.chinacloudapi.cn', CHINA],
  ['login.partner.microsoftonline.cn', CHINA],
]);

/**
 * @param loginUrl where the app signs in, `https://login.microsoftonline.com`. Another host than Microsoft's is the
 * operator's word (a simulator, a private cloud): its keys prove what they sign, whether it names itself as the
 * issuer or the global cloud.
 */
export function authorityAt(loginUrl: string): TokenAuthority {
  const { origin, hostname } = new URL(loginUrl);
  return {
    issuers: CLOUDS.get(hostname) ?? {
      '1.0': GLOBAL['1.0'],
      '2.0': [...GLOBAL['2.0'], `${origin}/{tenantid}/v2.0`],
    },
    keysUrls: {
      '1.0': `${origin}/common/discovery/keys`,
      '2.0': `${origin}/common/discovery/v2.0/keys`,
    },
  };
}

export function issuerOf(pattern: string, tenantId: string): string {
  return pattern.replaceAll('{tenantid}', tenantId);
}
