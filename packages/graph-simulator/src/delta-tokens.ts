// Issues the tokens of delta queries: random, so that nobody can build one, and forgotten when their time is over.
import { randomBytes } from 'node:crypto';
import type { DeltaSettings } from './delta-settings.ts';

/** What a token stands for. */
export interface TokenState<T> {
  /** Tenant, app and canonical path; a token is worth nothing elsewhere. */
  readonly binding: string;
  /** "users/{id}" or "users": whose tokens are counted together. */
  readonly owner: string;
  readonly isDirectory: boolean;
  readonly value: T;
}

interface Issued<T> extends TokenState<T> {
  readonly issuedAtMs: number;
  isExpired: boolean;
}

export type TokenAnswer<T> = { readonly kind: 'valid'; readonly value: T } | TokenRefusal<T>;
/** An expired token still tells what it stood for, so that the way to a full round can be named. */
export type TokenRefusal<T> = { readonly kind: 'unknown' } | { readonly kind: 'expired'; readonly value: T };

/** Random bytes of a token: as long as real ones look, and nothing that could be guessed. */
const TOKEN_BYTES = 48;

export class DeltaTokens<T> {
  readonly #settings: DeltaSettings;
  readonly #now: () => number;
  readonly #issued = new Map<string, Issued<T>>();
  readonly #byOwner = new Map<string, string[]>();

  constructor(settings: DeltaSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  issue(state: TokenState<T>): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#issued.set(token, { ...state, issuedAtMs: this.#now(), isExpired: false });
    const ofOwner = this.#byOwner.get(state.owner) ?? [];
    this.#byOwner.set(state.owner, ofOwner);
    ofOwner.push(token);
    this.#forgetOldest(ofOwner);
    return token;
  }

  read(token: string, binding: string): TokenAnswer<T> {
    const issued = this.#issued.get(token);
    if (issued === undefined || issued.binding !== binding) return { kind: 'unknown' };
    const { value } = issued;
    return this.#isOver(issued) ? { kind: 'expired', value } : { kind: 'valid', value };
  }

  /** @param owner only its tokens; all without it. @returns how many have expired by this */
  expire(owner?: string): number {
    const fresh = [...this.#issued.values()].filter(
      (issued) => (owner === undefined || issued.owner === owner) && !this.#isOver(issued),
    );
    for (const issued of fresh) issued.isExpired = true;
    return fresh.length;
  }

  #isOver({ isDirectory, isExpired, issuedAtMs }: Issued<T>): boolean {
    return isExpired || (isDirectory && issuedAtMs + this.#settings.directoryTokenLifeMs <= this.#now());
  }

  /** Beyond the number that is kept, tokens expire; beyond twice the number, they were never there. */
  #forgetOldest(ofOwner: string[]): void {
    const { tokensPerMailbox: kept } = this.#settings;
    const expiring = this.#issued.get(ofOwner[ofOwner.length - 1 - kept] ?? '');
    if (expiring !== undefined && !expiring.isDirectory) expiring.isExpired = true;
    if (ofOwner.length <= 2 * kept) return;
    const oldest = ofOwner.shift();
    if (oldest !== undefined) this.#issued.delete(oldest);
  }
}
