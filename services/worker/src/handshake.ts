/** Asks a notification URL as Graph does before it makes a subscription (Graph: change-notifications-delivery-webhooks). */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';

export type HandshakeAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | undefined;
  readonly challenge: string | undefined;
  readonly nosniff: boolean;
  /** What came, up to 64 kB. */
  readonly body: string;
  /** From the request to the end of the answer, the way into TLS included, as Graph counts. */
  readonly tookMs: number;
};

export type Handshake = { readonly token: string; readonly answer: HandshakeAnswer };

/** Longer than any token: what answers more is no echo. */
const MOST_BYTES = 65_536;

/** Rejects where no answer comes, or `signal` ends it. */
export async function shakeHands(url: string, signal: AbortSignal): Promise<Handshake> {
  // Graph's own is such a sentence; spaces and colons are what proxies and receivers stumble over.
  const token = `Validation: g2k doctor asks as Graph would: Request-Id: ${randomUUID()}`;
  // Whether the certificate is trusted has been looked at; whoever answers is told nothing.
  const agent = new Agent({ connections: 1, allowH2: false, connect: { rejectUnauthorized: false } });
  const begun = performance.now();
  try {
    const { statusCode, headers, body } = await request(withToken(url, token), {
      method: 'POST',
      dispatcher: agent,
      signal,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    const text = await readText(body);
    const header = (name: string) => [headers[name] ?? []].flat()[0];
    const answer = {
      status: statusCode,
      contentType: header('content-type') ?? '',
      location: header('location'),
      challenge: header('www-authenticate'),
      nosniff: header('x-content-type-options')?.toLowerCase() === 'nosniff',
      body: text,
      tookMs: Math.round(performance.now() - begun),
    };
    return { token, answer };
  } finally {
    await agent.destroy().catch(() => undefined);
  }
}

/** Form-style (a space is `+`), behind a query that is there already. */
function withToken(text: string, token: string): URL {
  const url = new URL(text);
  const query = new URLSearchParams({ validationToken: token }).toString();
  url.search = url.search === '' ? query : `${url.search}&${query}`;
  url.hash = '';
  return url;
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
