/** Seals bytes for a key as Graph does, or wrong in one way that only its sender could bring about. */
import {
  constants,
  createCipheriv,
  createHmac,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import type { SealedContent } from '../../src/rich/decrypt-content.ts';

export type SealOptions = {
  readonly dataKey?: Buffer;
  readonly oaepHash?: 'sha1' | 'sha256';
  /** Whether the plain bytes are padded; else they have to be whole blocks. */
  readonly padded?: boolean;
};

export function seal(
  plain: string | Buffer,
  publicKey: KeyObject,
  { dataKey = randomBytes(32), oaepHash = 'sha1', padded = true }: SealOptions = {},
): SealedContent {
  const aesKey = Buffer.concat([dataKey, Buffer.alloc(32)]).subarray(0, 32);
  const aes = createCipheriv('aes-256-cbc', aesKey, aesKey.subarray(0, 16)).setAutoPadding(padded);
  const data = Buffer.concat([aes.update(plain), aes.final()]);
  const padding = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
  return {
    data: data.toString('base64'),
    dataKey: publicEncrypt(padding, dataKey).toString('base64'),
    dataSignature: createHmac('sha256', dataKey).update(data).digest('base64'),
  };
}
