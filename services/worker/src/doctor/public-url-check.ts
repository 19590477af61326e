/** A notification URL as Graph meets it: its form, name, certificate and answer. */

import { shakeHands } from '../handshake.ts';
import { networkProblem } from '../network-problem.ts';
import { error, ok, type Remark } from './finding.ts';
import { HANDSHAKE_WITHIN_MS, judgeHandshake } from './judge-handshake.ts';
import { judgeTls } from './judge-tls.ts';
import { resolveHost } from './resolve-host.ts';
import { probeTls } from './tls-probe.ts';
import { judgeUrlForm, type NotificationUrl } from './url-form.ts';

export type UrlCheckDeps = {
  /** Graph is Microsoft's: out on the internet, https alone. */
  readonly onInternet: boolean;
  readonly now: () => number;
  readonly handshakeWithinMs?: number;
  readonly tlsWithinMs?: number;
};

/** Far beyond a round trip or two to the other side of the world. */
const TLS_WITHIN_MS = 5000;

export async function checkPublicUrl(
  url: NotificationUrl,
  deps: UrlCheckDeps,
  signal: AbortSignal,
): Promise<Remark[]> {
  const { onInternet, handshakeWithinMs = HANDSHAKE_WITHIN_MS } = deps;
  const parsed = new URL(url.url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const form = judgeUrlForm(url, onInternet);
  const { addresses, problems } = await resolveHost(host, onInternet);
  const before = [...form, ...problems];
  if (addresses.length === 0) return before;
  const isSecure = parsed.protocol === 'https:';
  const tls = isSecure ? await checkTls(parsed, host, deps, signal) : plainly(url, onInternet);
  if (tls.isClosed) return [...before, ...tls.remarks];
  return [...before, ...tls.remarks, ...(await checkHandshake(parsed, handshakeWithinMs, signal))];
}

type TlsChecked = {
  readonly remarks: readonly Remark[];
  /** Nothing can be asked there. */
  readonly isClosed: boolean;
};

/** Out on the internet its form has been complained of. */
function plainly({ setting }: NotificationUrl, onInternet: boolean): TlsChecked {
  const remarks = onInternet ? [] : [ok(`${setting} is plain http, which only a simulator takes`)];
  return { remarks, isClosed: false };
}

async function checkTls(
  url: URL,
  host: string,
  { now, tlsWithinMs = TLS_WITHIN_MS }: UrlCheckDeps,
  signal: AbortSignal,
): Promise<TlsChecked> {
  try {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(tlsWithinMs)]);
    const shown = await probeTls(host, Number(url.port || 443), inTime);
    return { remarks: judgeTls(shown, url.host, now()), isClosed: false };
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code?.startsWith('ERR_SSL_') || code === 'EPROTO') {
      const found = `${url.host} speaks no TLS that Graph takes, which is 1.2 or later (${code})`;
      return {
        remarks: [error(found, 'switch on TLS 1.2 or 1.3 there; if it speaks http, correct the port')],
        isClosed: true,
      };
    }
    return { remarks: [unreached(thrown, url.host)], isClosed: true };
  }
}

async function checkHandshake(url: URL, withinMs: number, signal: AbortSignal): Promise<Remark[]> {
  const deadline = AbortSignal.timeout(withinMs);
  // Without the query: it may hold a key of its own.
  const place = `${url.host}${url.pathname}`;
  try {
    return judgeHandshake(await shakeHands(url.href, AbortSignal.any([signal, deadline])), place);
  } catch (thrown) {
    if (!deadline.aborted) return [unreached(thrown, place)];
    const found = `${place} does not answer the handshake within ${withinMs / 1000} s, after which Graph refuses the subscription`;
    return [
      error(
        found,
        'keep an instance running (no cold start), and see whether the request reaches the receiver',
      ),
    ];
  }
}

function unreached(thrown: unknown, host: string): Remark {
  const { found, cure } = networkProblem(thrown, host) ?? {
    found: `${host} does not answer`,
    cure: 'see that the port is open to the internet and leads to the receiver',
  };
  return error(found, cure);
}
