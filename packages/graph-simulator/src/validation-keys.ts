// The keys that validation tokens are signed with: made when first needed, published, and replaced on demand.
import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export interface ValidationKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A public key as Entra publishes it; `issuer` in the newer list only. */
export type PublishedKey = Readonly<Record<string, string>>;

const makeKeyPair = promisify(generateKeyPair);
const KEY_BITS = 2_048;
/** Entra publishes a key before it is used and for a while after: what was signed with the last one stays valid. */
const PUBLISHED_KEYS = 3;

async function makeKey(): Promise<ValidationKey> {
  const { privateKey, publicKey } = await makeKeyPair('rsa', { modulusLength: KEY_BITS });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { kid: createHash('sha256').update(der).digest('base64url').slice(0, 27), privateKey, publicKey };
}

function published({ kid, publicKey }: ValidationKey): PublishedKey {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return { kty: 'RSA', use: 'sig', kid, x5t: kid, n, e };
}

export class ValidationKeys {
  /** The newest, which signs, stands first. */
  #keys: Promise<ValidationKey>[] = [];
  #unpublished: Promise<ValidationKey> | undefined;

  /** Waits for the key to be made, the first time: a good part of a second. */
  signing(): Promise<ValidationKey> {
    if (this.#keys.length === 0) this.#keys = [makeKey()];
    return this.#keys[0] as Promise<ValidationKey>;
  }

  /** A key that no list names: what a forger has. */
  foreign(): Promise<ValidationKey> {
    this.#unpublished ??= makeKey();
    return this.#unpublished;
  }

  /** From now on a new key signs. The last ones stay published unless `forget`, as after a leak. */
  async rotate({ forget = false }: { readonly forget?: boolean } = {}): Promise<ValidationKey> {
    if (!forget) await this.signing();
    const key = makeKey();
    this.#keys = forget ? [key] : [key, ...this.#keys].slice(0, PUBLISHED_KEYS);
    return key;
  }

  /** The newest first. */
  async published(): Promise<readonly PublishedKey[]> {
    await this.signing();
    const keys = await Promise.all(this.#keys);
    return keys.map(published);
  }
}
