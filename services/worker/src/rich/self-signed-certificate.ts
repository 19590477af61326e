/**
 * Makes a certificate for encryption (X.509, RFC 5280), signed with its own key: Graph asks for no more. Node reads
 * certificates and makes none.
 */
import { generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

export type CertificateWish = {
  /** Shown as its subject. */
  readonly name: string;
  readonly bits: 2048 | 4096;
  /** Epoch milliseconds, of which whole seconds count. */
  readonly startsAt: number;
  readonly expiresAt: number;
};

/** The new private key (PKCS#8) and its certificate, as PEM. */
export async function makeKeyAndCertificate(
  wish: CertificateWish,
): Promise<{ privateKey: string; certificate: string }> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: wish.bits });
  const der =
    certificateOf(pair, wish)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificate: ['-----BEGIN CERTIFICATE-----', ...der, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}

type KeyPair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** Tags of ASN.1 (X.690). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const TRUE = Buffer.from([0x01, 0x01, 0xff]);
/** sha256WithRSAEncryption with no parameters, 1.2.840.113549.1.1.11. */
const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex');
/** commonName, 2.5.4.3. */
const COMMON_NAME = Buffer.from('0603550403', 'hex');
/** keyUsage, 2.5.29.15. */
const KEY_USAGE = Buffer.from('0603551d0f', 'hex');
/** keyEncipherment and dataEncipherment, the third and the fourth bit; four of the byte's bits are not used. */
const ENCIPHERMENT = Buffer.from([0x04, 0x30]);

function certificateOf(
  { publicKey, privateKey }: KeyPair,
  { name, startsAt, expiresAt }: CertificateWish,
): Buffer {
  const who = tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, COMMON_NAME, tlv(UTF8_STRING, Buffer.from(name)))));
  const usage = tlv(SEQUENCE, KEY_USAGE, TRUE, tlv(OCTET_STRING, tlv(BIT_STRING, ENCIPHERMENT)));
  const content = tlv(
    SEQUENCE,
    tlv(VERSION, tlv(INTEGER, Buffer.from([2]))),
    tlv(INTEGER, serialNumber()),
    SHA256_WITH_RSA,
    who,
    tlv(SEQUENCE, time(startsAt), time(expiresAt)),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(EXTENSIONS, tlv(SEQUENCE, usage)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', content, privateKey)]);
  return tlv(SEQUENCE, content, SHA256_WITH_RSA, tlv(BIT_STRING, signature));
}

/** Positive, and without a zero in front. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** UTCTime until 2049, GeneralizedTime after it (RFC 5280, 4.1.2.5). */
function time(epochMs: number): Buffer {
  const text = `${new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  const isLate = text >= '2050';
  return tlv(isLate ? GENERALIZED_TIME : UTC_TIME, Buffer.from(isLate ? text : text.slice(2)));
}

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes = length > 0xff ? [length >> 8, length & 0xff] : [length];
  return [0x80 | bytes.length, ...bytes];
}
