// Encrypts a resource for a subscriber, as Graph does (Graph page "Change notifications that include resource data").
import {
  constants,
  createCipheriv,
  createHmac,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from 'node:crypto';

/** The changeNotificationEncryptedContent of an item: base64 throughout, save the label and the hex thumbprint. */
export interface EncryptedContent {
  readonly data: string;
  readonly dataKey: string;
  readonly dataSignature: string;
  readonly encryptionCertificateId: string;
  readonly encryptionCertificateThumbprint: string;
}

/** AES-256. */
const DATA_KEY_BYTES = 32;
/** One block of AES. The same page: the vector is the key's beginning. */
const VECTOR_BYTES = 16;

/**
 * A fresh key encrypts the text (AES-256-CBC, PKCS#7) and signs the encrypted bytes (HMAC-SHA256); the certificate's
 * key encrypts that key (RSA-OAEP with SHA-1, for MGF1 too).
 * @param certificate base64 of the X.509 certificate, as the subscription has it
 */
export function encryptResource(
  plaintext: string,
  certificate: string,
  certificateId: string,
): EncryptedContent {
  const { publicKey, fingerprint } = new X509Certificate(Buffer.from(certificate, 'base64'));
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const cipher = createCipheriv('aes-256-cbc', dataKey, dataKey.subarray(0, VECTOR_BYTES));
  const data = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  const padding = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
  return {
    data: data.toString('base64'),
    dataKey: publicEncrypt(padding, dataKey).toString('base64'),
    dataSignature: createHmac('sha256', dataKey).update(data).digest('base64'),
    encryptionCertificateId: certificateId,
    encryptionCertificateThumbprint: fingerprint.replaceAll(':', ''),
  };
}
