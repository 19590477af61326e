/** Resources that Python's `cryptography` has encrypted (vectors/make_vectors.py), with the keys that they are for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Vector = { readonly name: string; readonly text: string; readonly content: VectorContent };

export type VectorContent = {
  readonly data: string;
  readonly dataKey: string;
  readonly dataSignature: string;
  readonly encryptionCertificateId: string;
  readonly encryptionCertificateThumbprint: string;
};

export type VectorKey = {
  readonly bits: number;
  readonly id: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
  /** PEM; it ended in 2021. */
  readonly certificate: string;
  readonly items: readonly Vector[];
};

const file = join(import.meta.dirname, 'vectors/vectors.json');

export const vectorKeys = JSON.parse(readFileSync(file, 'utf8')) as readonly [VectorKey, VectorKey];
