/** What lies in an error of @platformatic/kafka, which packs the first cause into several others. */

/** Error and everything that it was caused by, from the outside in. */
function* layersOf(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return;
  yield error;
  if (error instanceof AggregateError) for (const each of error.errors) yield* layersOf(each);
  yield* layersOf(error.cause);
}

/** Codes that brokers have answered, by the names of Kafka's protocol. */
export function brokerCodesOf(error: unknown): string[] {
  return stringsOf(error, 'apiId');
}

/** Why a connection did not come about, in one sentence for the operator; undefined: it may come by itself. */
export function setupProblemOf(error: unknown): string | undefined {
  const codes = brokerCodesOf(error);
  if (codes.includes('SASL_AUTHENTICATION_FAILED')) {
    return 'Kafka refuses the sign-in: correct KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or KAFKA_OIDC_*';
  }
  if (codes.includes('UNSUPPORTED_SASL_MECHANISM')) {
    return 'Kafka does not offer this way to sign in: correct KAFKA_SASL_MECHANISM';
  }
  const tls = stringsOf(error, 'code').find((code) => code in TLS_PROBLEMS || code.startsWith('ERR_SSL_'));
  if (tls)
    return `${TLS_PROBLEMS[tls] ?? 'TLS with Kafka fails: correct KAFKA_SECURITY_PROTOCOL or KAFKA_SSL_*'} (${tls})`;
  if ([...layersOf(error)].some(({ message }) => message === 'Broker requires TLS.')) {
    return 'Kafka wants TLS: set KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL';
  }
  return undefined;
}

/** In a few words, for a log or a probe: the client's own outermost words say only how often it tried. */
export function reasonOf(error: unknown): string {
  const setupProblem = setupProblemOf(error);
  if (setupProblem) return setupProblem;
  const [code] = brokerCodesOf(error);
  const innermost = [...layersOf(error)].at(-1);
  return code ?? innermost?.message ?? 'unknown error';
}

/** By the codes of OpenSSL and Node. */
const TLS_PROBLEMS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "Kafka's certificate is not trusted: set KAFKA_SSL_CA",
  SELF_SIGNED_CERT_IN_CHAIN: "Kafka's certificate is not trusted: set KAFKA_SSL_CA",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "Kafka's certificate is not trusted: set KAFKA_SSL_CA",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "Kafka's certificate is not trusted: set KAFKA_SSL_CA",
  CERT_HAS_EXPIRED: "Kafka's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "Kafka's certificate is for another name than the one in KAFKA_BROKERS",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'Kafka asks for a certificate: set KAFKA_SSL_CERT and KAFKA_SSL_KEY',
};

function stringsOf(error: unknown, property: string): string[] {
  const values = [...layersOf(error)].map((layer) => (layer as unknown as Record<string, unknown>)[property]);
  return values.filter((value) => typeof value === 'string');
}
