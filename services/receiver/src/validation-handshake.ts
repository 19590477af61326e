/**
 * The handshake: when a subscription is made, Graph asks whether the URL is ours by a token to be echoed
 * (change-notifications-delivery-webhooks, notificationUrl validation). Anybody can send such a request, so the
 * echo must not be able to carry anything but text.
 */

/** Graph's token is a sentence of about 100 characters. */
const LONGEST_TOKEN = 2048;

export type HandshakeReply =
  | { readonly status: 200; readonly token: string }
  | { readonly status: 400; readonly reason: string };

/** The reply to the decoded `validationToken` parameter; an array means that it was given more than once. */
export function replyToHandshake(validationToken: unknown): HandshakeReply {
  if (typeof validationToken !== 'string')
    return { status: 400, reason: 'validationToken is given more than once' };
  if (validationToken === '') return { status: 400, reason: 'validationToken is empty' };
  if (validationToken.length > LONGEST_TOKEN) {
    return { status: 400, reason: `validationToken is longer than ${LONGEST_TOKEN} characters` };
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f-\u009f]/.test(validationToken) || !validationToken.isWellFormed()) {
    return { status: 400, reason: 'validationToken holds control characters' };
  }
  return { status: 200, token: validationToken };
}
