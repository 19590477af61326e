// Makes the certificate that the simulator serves, and the authority that clients are asked to trust.
import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
  /** PEM of the authority: what a client puts into its trust store. */
  readonly caCert: string;
}

const HOUR_MS = 60 * 60 * 1000;
/** Long enough for any run; the key lives in memory only. */
const LIFE_MS = 30 * 24 * HOUR_MS;

function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}

/**
 * An authority and a certificate for the names and addresses, valid from an hour ago, so that a container whose clock
 * lags accepts it. Elliptic curves, as an RSA key would cost a test half a second.
 */
export async function makeCertificate(names: readonly string[]): Promise<ServerCertificate> {
  const notBeforeDate = new Date(Date.now() - HOUR_MS);
  const notAfterDate = new Date(notBeforeDate.getTime() + LIFE_MS);
  const shared = { keyType: 'ec', algorithm: 'sha256', notBeforeDate, notAfterDate } as const;
  const ca = await generate([{ name: 'commonName', value: 'Graph simulator CA' }], {
    ...shared,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'Graph simulator' }], {
    ...shared,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(altName) },
    ],
  });
  return { key: server.private, cert: server.cert, caCert: ca.cert };
}
