/**
 * Why a login gave no token, by Entra's numbers (learn.microsoft.com/entra/identity-platform/reference-error-codes), and
 * what to do. Entra's own text is not shown: it may repeat what it was sent.
 */
import { SecretError } from '@graph2kafka/shared';
import { networkProblem } from '../network-problem.ts';
import { askLogin } from './ask-login.ts';

export type Login = {
  readonly loginUrl: string;
  readonly tenantId: string;
  /** Else the platform signs in. */
  readonly hasSecret: boolean;
};

/** `cure` names the settings of the own tenant. */
export type NoToken = { readonly found: string; readonly cure: string };

/** `thrown`: by @azure/identity. Where that says nothing, the login itself is asked. */
export async function findWhyNoToken(thrown: unknown, login: Login): Promise<NoToken> {
  const why = saysWhy(thrown) ? thrown : ((await askLogin(login.loginUrl, login.tenantId)) ?? thrown);
  return explainNoToken(why, { ...login, loginHost: new URL(login.loginUrl).host });
}

/**
 * With Entra's number, or asked for nothing since nobody vouched; a login that was not reached, or knows no such tenant,
 * is only "not resolved" to the library.
 */
function saysWhy(thrown: unknown): boolean {
  return thrown instanceof Error && (/AADSTS\d/.test(thrown.message) || secretErrorIn(thrown) !== undefined);
}

/** The library packs what the metadata server's reader threw into an error of its own. */
function secretErrorIn(thrown: unknown, depth = 0): SecretError | undefined {
  if (thrown instanceof SecretError) return thrown;
  if (!(thrown instanceof Error) || depth > 5) return undefined;
  return secretErrorIn(thrown.cause, depth + 1);
}

type Known = readonly [found: string, cure: string];

const NO_FEDERATION: Known = [
  'no federated credential of the app fits this workload',
  'correct issuer, subject and audience of the federated credential (Entra: the app, Certificates & secrets)',
];

const KNOWN: Readonly<Record<number, Known>> = {
  7000215: [
    'the client secret is wrong',
    "put the secret's value, not its id, into AZURE_CLIENT_SECRET (Entra: the app, Certificates & secrets)",
  ],
  7000222: [
    'the client secret has expired',
    'make a new one (Entra: the app, Certificates & secrets) and put its value into AZURE_CLIENT_SECRET',
  ],
  7000216: ['no client secret came with the request', 'set AZURE_CLIENT_SECRET'],
  700211: NO_FEDERATION,
  700212: NO_FEDERATION,
  700213: NO_FEDERATION,
  700016: [
    'the tenant knows no such app',
    'correct AZURE_CLIENT_ID or AZURE_TENANT_ID; an app of another tenant needs the consent of an administrator here first',
  ],
  7000229: [
    'the app has no service principal in this tenant',
    'have an administrator of the tenant consent to the app (Entra: Enterprise applications)',
  ],
  7000112: [
    'the app is switched off',
    'switch it on (Entra: Enterprise applications, the app, Properties, Enabled for users to sign in)',
  ],
  90002: [
    'there is no such tenant here',
    'correct AZURE_TENANT_ID, or GRAPH_CLOUD where it is in another cloud',
  ],
  90033: ['the login is not available for the moment', 'wait; the login is asked again'],
  900023: ['the id of the tenant is none', 'correct AZURE_TENANT_ID'],
  900382: ['the app is of another cloud', 'correct GRAPH_CLOUD'],
  500011: [
    'this cloud does not know the Graph that the token is for',
    'correct GRAPH_CLOUD, or take GRAPH_SCOPE away',
  ],
  70011: ['the scope is none', 'take GRAPH_SCOPE away, or let it end in /.default'],
  1002012: ['the scope is none', 'take GRAPH_SCOPE away, or let it end in /.default'],
  65001: [
    'nobody has consented to the app',
    'have an administrator consent (Entra: the app, API permissions, Grant admin consent)',
  ],
  53003: [
    'a rule of Conditional Access forbids the sign-in',
    'let the rule take the app, or the network that the worker is in',
  ],
  700027: [
    "the login does not know the key that the app's assertion is signed with",
    'put the certificate of the app into Entra (the app, Certificates & secrets)',
  ],
  70021: NO_FEDERATION,
};

/** Pure. */
export function explainNoToken(
  thrown: unknown,
  { loginHost, hasSecret }: Pick<Login, 'hasSecret'> & { readonly loginHost: string },
): NoToken {
  const [found, cure] = explain(thrown, loginHost, hasSecret);
  return { found, cure };
}

function explain(thrown: unknown, loginHost: string, hasSecret: boolean): Known {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const number = /AADSTS(\d{4,9})/.exec(text)?.[1];
  if (number !== undefined) {
    const [found, cure] = KNOWN[Number(number)] ?? [
      'the login refuses the app',
      `look it up at https://${loginHost}/error?code=${number}`,
    ];
    return [`${found} (AADSTS${number})`, cure];
  }
  const unvouched = secretErrorIn(thrown);
  if (unvouched)
    return [
      `nobody vouches for the app: ${unvouched.message}`,
      'AZURE_FEDERATION=google works on Google Cloud alone (Cloud Run, GKE, Compute Engine)',
    ];
  const network = networkProblem(thrown, loginHost);
  if (network) return [network.found, network.cure];
  if (!hasSecret) {
    return [
      'the platform offers no identity',
      'set AZURE_CLIENT_SECRET, or give the platform an identity (managed identity, workload identity, Azure CLI)',
    ];
  }
  const name = thrown instanceof Error ? thrown.name : 'unknown error';
  return [name, `see whether ${loginHost} can be reached from here`];
}
