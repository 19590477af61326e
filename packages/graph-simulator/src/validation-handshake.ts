// Asks an endpoint whether it wants to be notified, as Graph does before it makes a subscription.
import { randomUUID } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import { GraphError } from './graph-exchange.ts';
import type { Clock } from './simulator-clock.ts';

export interface HandshakeSettings {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  /** Graph waits 10 s, and that cannot be configured there (Graph page "Receive change notifications through webhooks"). */
  readonly timeoutMs: number;
}

/** More than any token: an endpoint that answers more is not echoing. */
const MAX_ECHO_BYTES = 64 * 1024;

function validationUrl(endpoint: string, token: string): string {
  const url = new URL(endpoint);
  const query = new URLSearchParams({ validationToken: token }).toString();
  url.search = url.search === '' ? query : `${url.search}&${query}`;
  return url.href;
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ECHO_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function echoes(endpoint: string, settings: HandshakeSettings, signal: AbortSignal): Promise<boolean> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${randomUUID()}`;
  const answer = await request(validationUrl(endpoint, token), {
    method: 'POST',
    dispatcher: settings.dispatcher,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    signal,
  });
  const text = await readText(answer.body);
  const isPlain = /^text\/plain\b/i.test(String(answer.headers['content-type'] ?? ''));
  return answer.statusCode === 200 && isPlain && text === token;
}

/**
 * POSTs a validation token that holds spaces and colons, form-encoded, and wants it back decoded as text/plain with 200.
 * @throws {GraphError} 400, in the words that Graph is known to use
 */
export async function validateEndpoint(endpoint: string, settings: HandshakeSettings): Promise<void> {
  const refused = () =>
    new GraphError(
      400,
      'ValidationError',
      'Subscription validation request failed. Must respond with 200 OK to this request.',
    );
  const abort = new AbortController();
  const timer = settings.clock.after(settings.timeoutMs, () => abort.abort());
  let isEchoed: boolean;
  try {
    isEchoed = await echoes(endpoint, settings, abort.signal);
  } catch {
    if (abort.signal.aborted) {
      throw new GraphError(400, 'InvalidRequest', 'Subscription validation request timed out.');
    }
    throw refused();
  } finally {
    timer.cancel();
  }
  if (!isEchoed) throw refused();
}
