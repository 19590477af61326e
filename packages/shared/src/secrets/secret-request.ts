/** One GET of JSON from a keeper of secrets: with a deadline, following no redirect, telling nothing of the body. */
import { SecretError } from './secret-error.ts';

const DEADLINE_MS = 5000;
/** A secret of 64 KiB in base64, with what stands around it. */
const LONGEST_ANSWER = 131_072;

export type JsonAnswer = { readonly headers: Headers; readonly json: Readonly<Record<string, unknown>> };

/** Throws a `SecretError` that names `peer` and its status. */
export async function requestJson(
  peer: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<JsonAnswer> {
  const answer = await get(peer, url, headers);
  const text = await answer.text().catch((error: unknown) => {
    throw new SecretError(`${peer} broke off its answer`, { cause: error });
  });
  const json = text.length > LONGEST_ANSWER ? undefined : parseObject(text);
  if (!answer.ok) throw new SecretError(`${peer} answered ${answer.status}${reasonIn(json)}`);
  if (json === undefined) throw new SecretError(`${peer} answered with something else than a secret`);
  return { headers: answer.headers, json };
}

async function get(peer: string, url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
  try {
    return await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (error) {
    throw new SecretError(`${peer} cannot be reached`, { cause: error });
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Azure's `error.code`, Google's `error.status`: a word, or it is left out. */
function reasonIn(json: Readonly<Record<string, unknown>> | undefined): string {
  const { code, status } = (json?.error ?? {}) as { code?: unknown; status?: unknown };
  const word = [status, code].find(
    (value): value is string => typeof value === 'string' && /^\w{1,60}$/.test(value),
  );
  return word === undefined ? '' : ` (${word})`;
}
