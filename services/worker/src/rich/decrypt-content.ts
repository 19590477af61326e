/** Decrypts the resource that a rich notification carries (Graph: change-notifications-with-resource-data). */
import {
  constants,
  createDecipheriv,
  createHmac,
  type KeyObject,
  privateDecrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** Of Graph's changeNotificationEncryptedContent, what decrypting takes: base64, all three. */
export type SealedContent = {
  readonly data: string;
  /** The key of `data`, encrypted for our certificate; another one for each notification. */
  readonly dataKey: string;
  readonly dataSignature: string;
};

export type Decrypted =
  | { readonly ok: true; readonly data: Readonly<Record<string, unknown>> }
  | {
      readonly ok: false;
      /** One for all: which step failed would help whoever tries out alterations. */
      readonly reason: string;
      /** For our own log and metrics; it leaves the service nowhere else. */
      readonly failedAt: DecryptionStage;
    };

export type DecryptionStage = 'form' | 'dataKey' | 'signature' | 'data' | 'json';

const REASON = 'the encrypted content was altered, or is not for this key';

/** As much as an answer of Graph may have. */
const MAX_DATA_BYTES = 4 * 1024 * 1024;
/** The longest RSA key that Graph takes has 4,096 bits. */
const MAX_DATA_KEY_BYTES = 512;
const AES_KEY_BYTES = 32;
const AES_BLOCK_BYTES = 16;
const SIGNATURE_BYTES = 32;
/** Graph's resources nest some ten levels deep; what writes a record calls itself for each. */
const DEEPEST = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The resource, if nothing of the content was altered. Whatever is wrong is a result, not an exception, and for good:
 * another attempt would find the same. Blocks for the RSA operation: 0.3 ms with 2,048 bits, 1.7 ms with 4,096.
 */
export function decryptContent(content: SealedContent, privateKey: KeyObject): Decrypted {
  const sealed = decodeParts(content);
  if (sealed === undefined) return refuse('form');
  const opened = openDataKey(sealed.dataKey, privateKey);
  // A wrong key is used to its end as a right one would be, so that the time does not tell at which step it failed.
  const key = opened ?? randomBytes(AES_KEY_BYTES);
  const signature = createHmac('sha256', key).update(sealed.data).digest();
  const isSigned = timingSafeEqual(signature, sealed.signature);
  if (opened === undefined) return refuse('dataKey');
  if (!isSigned) return refuse('signature');
  const plain = decipher(sealed.data, key);
  if (plain === undefined) return refuse('data');
  const data = parseResource(plain);
  return data === undefined ? refuse('json') : { ok: true, data };
}

function refuse(failedAt: DecryptionStage): Decrypted {
  return { ok: false, reason: REASON, failedAt };
}

function decodeParts({ data, dataKey, dataSignature }: SealedContent) {
  const parts = {
    data: decodeBase64(data, MAX_DATA_BYTES),
    dataKey: decodeBase64(dataKey, MAX_DATA_KEY_BYTES),
    signature: decodeBase64(dataSignature, SIGNATURE_BYTES),
  };
  const { data: bytes, dataKey: key, signature } = parts;
  const isWhole =
    bytes !== undefined &&
    bytes.length > 0 &&
    bytes.length % AES_BLOCK_BYTES === 0 &&
    key !== undefined &&
    signature?.length === SIGNATURE_BYTES;
  return isWhole ? { data: bytes, dataKey: key, signature } : undefined;
}

/** Only the one spelling that encoding gives: Node's own decoder skips what is no base64. */
function decodeBase64(text: string, maxBytes: number): Buffer | undefined {
  if (text.length > Math.ceil(maxBytes / 3) * 4) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function openDataKey(dataKey: Buffer, key: KeyObject): Buffer | undefined {
  try {
    // MGF1 takes the same hash: OpenSSL's default.
    const options = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    const opened = privateDecrypt(options, dataKey);
    return opened.length === AES_KEY_BYTES ? opened : undefined;
  } catch {
    return undefined;
  }
}

function decipher(data: Buffer, key: Buffer): Buffer | undefined {
  try {
    const aes = createDecipheriv('aes-256-cbc', key, key.subarray(0, AES_BLOCK_BYTES));
    return Buffer.concat([aes.update(data), aes.final()]);
  } catch {
    return undefined;
  }
}

function parseResource(plain: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(utf8.decode(plain));
    const isResource = typeof json === 'object' && json !== null && !Array.isArray(json);
    return isResource && nestsWithin(json, DEEPEST) ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => nestsWithin(inner, levels - 1));
}
