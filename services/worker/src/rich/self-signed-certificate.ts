/**
 * Makes a certificate for encryption (X.509, RFC 5280), signed with its own key: Graph asks for no more. Node reads
 * certificates and makes none; what goes into one is said here, and a library encodes it.
 */
import { generateKeyPair, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Extension,
  Extensions,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

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
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: wish.bits });
  const content = contentOf(publicKey, wish);
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm: content.signature,
    signatureValue: bytesOf(sign('sha256', encode(content), privateKey)),
  });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificate: new X509Certificate(encode(certificate)).toString(),
  };
}

const COMMON_NAME = '2.5.4.3';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

function contentOf(publicKey: KeyObject, { name, startsAt, expiresAt }: CertificateWish): TBSCertificate {
  const commonName = new AttributeTypeAndValue({
    type: COMMON_NAME,
    value: new AttributeValue({ utf8String: name }),
  });
  const who = new Name([new RelativeDistinguishedName([commonName])]);
  const usage = new KeyUsage(KeyUsageFlags.keyEncipherment | KeyUsageFlags.dataEncipherment);
  return new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: new AlgorithmIdentifier({ algorithm: SHA256_WITH_RSA, parameters: null }),
    issuer: who,
    subject: who,
    validity: new Validity({ notBefore: new Date(startsAt), notAfter: new Date(expiresAt) }),
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: 'spki', format: 'der' }),
      SubjectPublicKeyInfo,
    ),
    extensions: new Extensions([
      new Extension({
        extnID: id_ce_keyUsage,
        critical: true,
        extnValue: new OctetString(AsnConvert.serialize(usage)),
      }),
    ]),
  });
}

/** Positive, and without a zero in front. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytesOf(bytes);
}

function encode(value: TBSCertificate | Certificate): Buffer {
  return Buffer.from(AsnConvert.serialize(value));
}

/** A copy: a small Buffer is a part of a bigger one. */
function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
