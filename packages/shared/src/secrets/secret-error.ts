/** A secret that could not be had; the text goes behind its reference, and never holds the secret. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** In bytes: what Secret Manager keeps at most; Key Vault keeps 25 kB. */
export const LONGEST_SECRET = 65_536;
