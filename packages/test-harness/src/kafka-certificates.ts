// Certificates for TLS and mTLS with a throw-away broker, in the files that Kafka reads and the texts that clients take.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

export interface KafkaCertificates {
  /** PEM of the authority that signed all of them. */
  readonly ca: string;
  /** PEM of a client's certificate, of the name that was asked for, and of its key. */
  readonly clientCert: string;
  readonly clientKey: string;
  /** The same of the server: other servers of a test on 127.0.0.1 may show it too. */
  readonly serverCert: string;
  readonly serverKey: string;
  /** Settings of a listener that shows the server's certificate. */
  readonly listenerProperties: Readonly<Record<string, string>>;
}

/** Makes them with openssl in `dir`, valid for a day; the server's is for 127.0.0.1 and localhost. */
export async function makeKafkaCertificates(dir: string, clientName = 'client'): Promise<KafkaCertificates> {
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => runProgram('openssl', args);
  await openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
    ...['-subj', '/CN=test authority', '-keyout', file('ca.key'), '-out', file('ca.pem')],
  );
  const sign = async (name: string, subject: string, extensions: string) => {
    await writeFile(file(`${name}.ext`), extensions);
    await openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${subject}`],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)],
    );
    await openssl(
      ...['x509', '-req', '-days', '1', '-in', file(`${name}.csr`), '-out', file(`${name}.pem`)],
      ...[
        '-CA',
        file('ca.pem'),
        '-CAkey',
        file('ca.key'),
        '-CAcreateserial',
        '-extfile',
        file(`${name}.ext`),
      ],
    );
    return {
      cert: await readFile(file(`${name}.pem`), 'utf8'),
      key: await readFile(file(`${name}.key`), 'utf8'),
    };
  };
  const server = await sign('server', 'broker', 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const client = await sign('client', clientName, 'extendedKeyUsage=clientAuth\n');
  await writeFile(file('server-keystore.pem'), `${server.key}\n${server.cert}`);
  return {
    ca: await readFile(file('ca.pem'), 'utf8'),
    clientCert: client.cert,
    clientKey: client.key,
    serverCert: server.cert,
    serverKey: server.key,
    listenerProperties: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': file('server-keystore.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': file('ca.pem'),
    },
  };
}
