/** What a failed connection tells, by its code, in one form for all that is asked over TLS. Pure. */

export type NetworkProblem = { readonly code: string; readonly found: string; readonly cure: string };

type Words = readonly [found: (host: string) => string, cure: (host: string) => string];

const dns: Words = [
  (host) => `the name ${host} cannot be resolved`,
  () => 'correct the name, or the DNS that this machine asks',
];
const unreachable: Words = [
  (host) => `${host} is not reached`,
  () => 'let this machine out to it (firewall, proxy, route)',
];
const distrusted: Words = [
  (host) => `the certificate of ${host} is not trusted here`,
  () => 'where a proxy of yours looks into TLS, give Node its authority (NODE_EXTRA_CA_CERTS)',
];

const BY_CODE: Readonly<Record<string, Words>> = {
  ENOTFOUND: dns,
  EAI_AGAIN: dns,
  ECONNREFUSED: [
    (host) => `${host} refuses connections`,
    () => 'start what should listen there, or correct the port',
  ],
  ECONNRESET: [
    (host) => `${host} closed the connection`,
    () => 'see what stands in front of it (proxy, firewall)',
  ],
  UND_ERR_SOCKET: [
    (host) => `${host} closed the connection`,
    () => 'see what stands in front of it (proxy, firewall)',
  ],
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  UND_ERR_CONNECT_TIMEOUT: unreachable,
  DEPTH_ZERO_SELF_SIGNED_CERT: distrusted,
  SELF_SIGNED_CERT_IN_CHAIN: distrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: distrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: distrusted,
  CERT_HAS_EXPIRED: [
    (host) => `the certificate of ${host} has expired`,
    () => 'renew it, or set the clock here right',
  ],
  CERT_NOT_YET_VALID: [
    (host) => `the certificate of ${host} is not valid yet`,
    () => 'set the clock here right',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    (host) => `the certificate shown for ${host} is for another name`,
    () => 'correct the name, or the certificate',
  ],
};

/** Undefined where no code of a connection is in the error or what it was caused by. */
export function networkProblem(thrown: unknown, host: string): NetworkProblem | undefined {
  const code = [...codesOf(thrown)].find((each) => each in BY_CODE);
  const words = code === undefined ? undefined : BY_CODE[code];
  if (code === undefined || words === undefined) return undefined;
  return { code, found: `${words[0](host)} (${code})`, cure: words[1](host) };
}

/** Libraries pack the first cause into others, some only into their text. */
function* codesOf(thrown: unknown, depth = 0): Generator<string> {
  if (!(thrown instanceof Error) || depth > 5) return;
  const { code, errors } = thrown as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') yield code;
  if (Array.isArray(errors)) for (const each of errors) yield* codesOf(each, depth + 1);
  yield* codesOf(thrown.cause, depth + 1);
  yield* thrown.message.match(/\b[A-Z][A-Z_]{5,}\b/g) ?? [];
}
