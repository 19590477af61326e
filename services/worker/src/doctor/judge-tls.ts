/** What is wrong with the TLS of a public URL in Graph's eyes, and what to do. Pure. */
import { error, ok, type Problem, type Remark, warning } from './finding.ts';
import type { ShownTls } from './tls-probe.ts';

const DAY_MS = 86_400_000;
/** Certificates that renew themselves do so with a third of 90 days, or of 47, left. */
const EXPIRES_SOON_MS = 14 * DAY_MS;

export function judgeTls(shown: ShownTls, host: string, now: number): Remark[] {
  const days = Math.floor((shown.expiresAt - now) / DAY_MS);
  const fault = shown.fault === undefined ? undefined : faultOf(shown.fault, shown, host);
  if (fault) return [fault];
  const until = `until ${new Date(shown.expiresAt).toISOString().slice(0, 10)}`;
  const fine = ok(`${host} shows a trusted certificate ${until}, ${shown.protocol}`);
  if (shown.expiresAt - now > EXPIRES_SOON_MS) return [fine];
  return [
    fine,
    warning(
      `the certificate of ${host} ends in ${days} days`,
      'renew it, and see why that did not happen by itself',
    ),
  ];
}

const FULL_CHAIN = 'serve the whole chain (fullchain.pem), leaf first';
const PUBLIC_AUTHORITY = "get a certificate of a public authority (Let's Encrypt, or that of your platform)";

function faultOf(code: string, { issuer, names, expiresAt }: ShownTls, host: string): Problem {
  switch (code) {
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return error(
        `${host} does not show the certificate of its issuer ${issuer} (${code})`,
        `${FULL_CHAIN}; if it is complete, ${PUBLIC_AUTHORITY}`,
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return error(`the certificate of ${host} is self-signed (${code})`, PUBLIC_AUTHORITY);
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return error(
        `the certificate of ${host} is of an authority that is not trusted, by ${issuer} (${code})`,
        PUBLIC_AUTHORITY,
      );
    case 'CERT_HAS_EXPIRED': {
      const since = Number.isNaN(expiresAt) ? '' : `, at ${new Date(expiresAt).toISOString()} the leaf`;
      return error(
        `a certificate in the chain of ${host} has expired${since} (${code})`,
        'renew it, and reload what serves it',
      );
    }
    case 'CERT_NOT_YET_VALID':
      return error(
        `the certificate of ${host} is not valid yet (${code})`,
        'set the clocks right, or wait until it begins',
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return error(
        `the certificate shown for ${host} is for ${names || 'no name'} (${code})`,
        `get one for ${host}, or correct the name in the setting`,
      );
    default:
      return error(
        `the certificate of ${host} is not trusted (${code})`,
        `${FULL_CHAIN}, of a public authority`,
      );
  }
}
