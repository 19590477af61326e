/** Whether Graph would take the answer to a handshake, and what is wrong with it if not. Pure. */

import type { Handshake, HandshakeAnswer } from '../handshake.ts';
import { error, ok, type Problem, type Remark, warning } from './finding.ts';

/** Graph gives 10 s; a notification has 3 s, so that what takes longer here will be called slow there. */
export const HANDSHAKE_WITHIN_MS = 10_000;
const SLOW_MS = 3000;

const LET_PAST = 'let POSTs of anybody through to the receiver without a login: its proof is the clientState';

export function judgeHandshake({ token, answer }: Handshake, place: string): Remark[] {
  const { tookMs, nosniff } = answer;
  const wrong = findFault(answer, token, place);
  if (wrong) return [wrong];
  const fine = ok(`${place} answers the handshake in ${tookMs} ms`);
  const slow = warning(
    `${place} takes ${(tookMs / 1000).toFixed(1)} s for the handshake: Graph calls over 3 s slow, and refuses over 10 s`,
    'keep an instance running (no cold start), and look at what stands in front of the receiver',
  );
  const sniffing = warning(
    `the answer of ${place} lacks X-Content-Type-Options: nosniff, which the receiver sends`,
    'have the proxy in front leave the headers of the receiver as they are',
  );
  return [fine, ...(tookMs > SLOW_MS ? [slow] : []), ...(nosniff ? [] : [sniffing])];
}

function findFault(answer: HandshakeAnswer, token: string, place: string): Problem | undefined {
  const { status, contentType, location, challenge, body } = answer;
  if (status >= 300 && status < 400) return redirectFault(status, location, place);
  if (status === 401 || status === 407 || challenge !== undefined) {
    return error(`${place} asks for a login (${status})`, LET_PAST);
  }
  if (status === 403)
    return error(`${place} forbids it (403): a firewall, a login or a list of networks`, LET_PAST);
  if (/^text\/html|^application\/xhtml/i.test(contentType) || /^\s*<(!doctype|html)/i.test(body)) {
    const what = /sign.?in|log.?in|password/i.test(body) ? 'a login page' : 'a page (HTML)';
    return error(`${place} answers with ${what}, status ${status}: not the receiver`, LET_PAST);
  }
  if (status === 404 || status === 405) {
    return error(
      `${place} has nothing to POST to at this path (${status})`,
      'correct the path: the receiver has /events and /lifecycle; see what the proxy in front makes of it',
    );
  }
  if (status === 502 || status === 503 || status === 504) {
    return error(
      `${place} answers ${status}: what stands in front reaches no receiver`,
      'start the receiver, and correct where the proxy leads',
    );
  }
  if (status !== 200) {
    return error(
      `${place} answers ${status} where Graph wants 200`,
      'see the log of the receiver (handshake.answered) and of what stands in front',
    );
  }
  return echoFault(contentType, body, token, place);
}

function echoFault(contentType: string, body: string, token: string, place: string): Problem | undefined {
  if (body !== token) {
    const isEncoded = [
      encodeURIComponent(token),
      new URLSearchParams({ t: token }).toString().slice(2),
    ].includes(body);
    return isEncoded
      ? error(
          `${place} gives the token back still encoded`,
          'let something answer that decodes it, such as the receiver',
        )
      : error(
          `${place} does not give the token back as it was sent`,
          'see that the receiver answers, and that nothing in front changes the query or the body',
        );
  }
  if (/^text\/plain\b/i.test(contentType)) return undefined;
  return error(
    `${place} gives the token back as ${contentType || 'no content type'}, where Graph wants text/plain`,
    'have the proxy in front leave the headers of the receiver as they are',
  );
}

const LOGIN_HOSTS =
  /(^|\.)(login\.microsoftonline\.(com|us)|login\.windows\.net|login\.chinacloudapi\.cn|login\.live\.com|b2clogin\.com|ciamlogin\.com|accounts\.google\.com|okta\.com|auth0\.com|cloudflareaccess\.com)$/i;
const LOGIN_PATHS = /\/oauth2\/|\/authorize\b|\/\.auth\/login|\/saml|\/log-?in\b|\/sign-?in\b/i;

function redirectFault(status: number, location: string | undefined, place: string): Problem {
  const target = URL.parse(location ?? '', `https://${place}/`);
  if (!target) {
    return error(
      `${place} answers with a redirect (${status}), which Graph does not follow`,
      'have the URL answer by itself',
    );
  }
  if (LOGIN_HOSTS.test(target.hostname) || LOGIN_PATHS.test(target.pathname)) {
    return error(`${place} sends to a login at ${target.host} (${status})`, LET_PAST);
  }
  return error(
    `${place} redirects to ${target.origin}${target.pathname} (${status}), which Graph does not follow`,
    'put that address into the setting, or have the proxy in front not redirect',
  );
}
