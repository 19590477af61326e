/** A named case: a request, and everything that must come of it. */

export type Post = {
  readonly method?: string;
  /** Default: /events. */
  readonly target?: string;
  /** Beside Host and Content-Length; names may be given twice. Default: JSON in UTF-8. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
};

/** What lies in Redis afterwards, and was not there before; notifications, not entries. */
export type Effect = {
  /** To be worked. */
  readonly stored: number;
  /** To be published as dead letters, for this reason. */
  readonly deadLettered: number;
  readonly why?: RegExp;
};

export type HostileCase = {
  readonly name: string;
  readonly post: Post;
  readonly status: number;
  /** The code in the answer's JSON; a 2xx has none. */
  readonly code?: string;
  /** Of a handshake: the answer's body. */
  readonly text?: string;
  readonly effect: Effect;
};

const NOTHING: Effect = { stored: 0, deadLettered: 0 };
export const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8'] as const;

export function refused(name: string, post: Post, status: number, code: string): HostileCase {
  return { name, post, status, code, effect: NOTHING };
}

export function storing(name: string, post: Post, stored = 1): HostileCase {
  return { name, post, status: 202, effect: { stored, deadLettered: 0 } };
}

export function deadLettering(name: string, post: Post, why: RegExp, deadLettered = 1): HostileCase {
  return { name, post, status: 202, effect: { stored: 0, deadLettered, why } };
}

/** Answered like a good one, and nothing is kept. */
export function dropping(name: string, post: Post): HostileCase {
  return { name, post, status: 202, effect: NOTHING };
}
