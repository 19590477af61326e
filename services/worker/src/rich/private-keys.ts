/** Reads the private keys that rich notifications are decrypted with, and the certificates that belong to them. Pure. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

export type PrivateKeySource = {
  /** The setting that it comes from: a problem is told by its name. */
  readonly setting: string;
  /** The reference behind which it is kept, if it is: told with a problem. */
  readonly reference?: string;
  /** The encryptionCertificateId of the subscriptions that use it: our own label, at most 128 characters. */
  readonly id: string;
  /**
   * PEM, or base64 of PEM where line ends do not get through: the key as PKCS#8 or PKCS#1, and its certificate
   * if there is one, in any order, as Key Vault gives out both (content type application/x-pem-file).
   */
  readonly text: string;
};

export type HeldKey = {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly certificate?: HeldCertificate;
  /** What was held under this id before, the newest first: a vault gives a new version under the old name. */
  readonly replaced?: readonly HeldKey[];
};

export type HeldCertificate = {
  /** Hex SHA-1 in capitals, as Graph's encryptionCertificateThumbprint. */
  readonly thumbprint: string;
  /** What a subscription takes as its encryptionCertificate. */
  readonly base64: string;
  /** Epoch ms. One that has expired decrypts all the same. */
  readonly expiresAt: number;
};

export type KeyProblem = { readonly setting: string; readonly problem: string };

/** What Graph takes (Graph: change-notifications-with-resource-data). */
const FEWEST_BITS = 2048;
const MOST_BITS = 4096;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const ID = /^[^\u0000-\u001f\u007f]{1,128}$/;

/** The keys that can be used, and a sentence for each that cannot: with its setting and id, and nothing of the key. */
export function readPrivateKeys(sources: readonly PrivateKeySource[]): {
  readonly keys: readonly HeldKey[];
  readonly problems: readonly KeyProblem[];
} {
  const keys = new Map<string, HeldKey>();
  const problems: KeyProblem[] = [];
  for (const source of sources) {
    const read = keys.has(source.id) ? 'has the id of another key' : readKey(source);
    if (typeof read === 'string')
      problems.push({ setting: source.setting, problem: `the key ${shownName(source)} ${read}` });
    else keys.set(source.id, read);
  }
  return { keys: [...keys.values()], problems };
}

/** A key may have been put where its id belongs: what looks like no label is not repeated. */
function shownName({ id, reference }: PrivateKeySource): string {
  const shown = ID.test(id) && !id.includes('-----') ? `"${id}"` : 'without a proper id';
  return reference === undefined ? shown : `${shown} (${reference})`;
}

/** The key, or what is wrong with it. */
function readKey({ id, text }: PrivateKeySource): HeldKey | string {
  if (!ID.test(id)) return 'needs an id of 1 to 128 characters';
  const blocks = pemBlocks(text);
  if (typeof blocks === 'string') return blocks;
  const keyBlocks = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [keyBlock] = keyBlocks;
  if (keyBlock === undefined) return 'holds no private key';
  if (keyBlocks.length > 1) return 'holds several private keys: give each its own id';
  const privateKey = parseKey(keyBlock.pem);
  if (typeof privateKey === 'string') return privateKey;
  const problem = kindProblem(privateKey);
  if (problem !== undefined) return problem;
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ pem }) => pem);
  if (certificates.length === 0) return { id, privateKey };
  const certificate = certificateOf(privateKey, certificates);
  return typeof certificate === 'string' ? certificate : { id, privateKey, certificate };
}

type PemBlock = { readonly label: string; readonly pem: string };

function pemBlocks(text: string): readonly PemBlock[] | string {
  const pem = text.includes('-----BEGIN ') ? text : Buffer.from(text, 'base64').toString('latin1');
  const blocks = pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]*(?:-[^-]+)*-----END \1-----/g);
  const found = [...blocks].map(([block, label = '']) => ({ label, pem: block }));
  if (found.length > 0) return found;
  return isPkcs12(Buffer.from(text, 'base64'))
    ? 'is PKCS#12: convert it with openssl pkcs12 -nodes, or have Key Vault keep it as application/x-pem-file'
    : 'is no PEM';
}

/** A sequence that begins with its version, 3 (RFC 7292). */
function isPkcs12(bytes: Buffer): boolean {
  const version = Buffer.from([0x02, 0x01, 0x03]);
  return bytes[0] === 0x30 && bytes.subarray(1, 10).includes(version);
}

/** A passphrase beside it would need a place as safe as the key's own. */
function parseKey(pem: string): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch {
    return pem.includes('ENCRYPTED')
      ? 'is encrypted: decrypt it with openssl pkey, and keep it where only the worker can read it'
      : 'cannot be read';
  }
}

function kindProblem({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType !== 'rsa') return 'is not an RSA key';
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  const isRight = bits >= FEWEST_BITS && bits <= MOST_BITS;
  return isRight ? undefined : `has ${bits} bits: Graph takes ${FEWEST_BITS} to ${MOST_BITS}`;
}

/** Others may be those of its issuers. */
function certificateOf(privateKey: KeyObject, pems: readonly string[]): HeldCertificate | string {
  try {
    const own = pems.map((pem) => new X509Certificate(pem)).find((one) => one.checkPrivateKey(privateKey));
    if (own === undefined) return 'comes with the certificate of another key';
    return {
      thumbprint: own.fingerprint.replaceAll(':', '').toUpperCase(),
      base64: own.raw.toString('base64'),
      expiresAt: own.validToDate.getTime(),
    };
  } catch {
    return 'comes with a certificate that cannot be read';
  }
}
