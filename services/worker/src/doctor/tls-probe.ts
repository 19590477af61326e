/** The TLS of a public host: shown to this machine as it is to Graph, and looked at without giving up at the first fault. */
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

export type ShownTls = {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** OpenSSL's or Node's code of what is wrong with the chain or the name; undefined: it is trusted. */
  readonly fault: string | undefined;
  /** Names in the certificate, as it lists them: `DNS:a.example, IP Address:127.0.0.1`. */
  readonly names: string;
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
};

/** Rejects where no connection comes about, TLS 1.2 and later offered. */
export async function probeTls(host: string, port: number, signal: AbortSignal): Promise<ShownTls> {
  const { promise, resolve, reject } = Promise.withResolvers<ShownTls>();
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    // Nothing is said to it that others may not hear; what is wrong is to be told, all of it.
    rejectUnauthorized: false,
  });
  const giveUp = () => reject(new Error('no answer in time'));
  signal.addEventListener('abort', giveUp);
  socket.once('secureConnect', () => resolve(shownBy(socket)));
  socket.once('error', reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function shownBy(socket: TLSSocket): ShownTls {
  const certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
  const { authorizationError: fault } = socket as { authorizationError: unknown };
  const { subjectaltname: names = '', issuer, valid_to: expires } = certificate;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    fault: socket.authorized ? undefined : codeOf(fault),
    names,
    issuer: nameOf(issuer),
    expiresAt: Date.parse(expires),
  };
}

/** Node gives an Error, or its code alone. */
function codeOf(fault: unknown): string {
  if (typeof fault === 'string') return fault;
  const { code } = (fault ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown';
}

function nameOf(issuer: DetailedPeerCertificate['issuer'] | undefined): string {
  const { CN: common, O: organisation } = issuer ?? {};
  return [common ?? organisation ?? 'unknown'].flat().join(', ');
}
