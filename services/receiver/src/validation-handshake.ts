/**
 * The handshake: when a subscription is made, Graph asks whether the URL is ours by a token to be echoed
 * (Graph: change-notifications-delivery-webhooks, "notificationUrl validation"). Anybody can send such a request, so
 * the echo must not be able to carry anything but text.
 */

import { LONGEST_TOKEN, type RefusalCode } from './refusals.ts';

export type HandshakeReply =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly code: RefusalCode };

/** The reply to the decoded `validationToken` parameter; an array means that it was given more than once. */
export function replyToHandshake(validationToken: unknown): HandshakeReply {
  if (typeof validationToken !== 'string') return { ok: false, code: 'token-repeated' };
  if (validationToken === '') return { ok: false, code: 'token-empty' };
  if (validationToken.length > LONGEST_TOKEN) return { ok: false, code: 'token-too-long' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f-\u009f]/.test(validationToken) || !validationToken.isWellFormed())
    return { ok: false, code: 'token-not-text' };
  return { ok: true, token: validationToken };
}
