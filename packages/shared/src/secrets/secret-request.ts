/** One request to a keeper of secrets: with a deadline, following no redirect, telling nothing of the body. */
import { SecretError } from './secret-error.ts';

const DEADLINE_MS = 5000;
/** A secret of 64 KiB in base64, with what stands around it. */
const LONGEST_ANSWER = 131_072;

type Fields = Readonly<Record<string, string>>;

type TextAnswer = {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: Headers;
  /** Empty where it is longer than any secret. */
  readonly text: string;
};

/** A GET, or a POST where there is a form to send. Throws a `SecretError` that names `peer` where no answer came. */
export async function requestText(
  peer: string,
  url: URL,
  headers: Fields,
  form?: Fields,
): Promise<TextAnswer> {
  const answer = await ask(peer, url, headers, form);
  const text = await answer.text().catch((error: unknown) => {
    throw new SecretError(`${peer} broke off its answer`, { cause: error });
  });
  const { ok, status, headers: answered } = answer;
  return { ok, status, headers: answered, text: text.length > LONGEST_ANSWER ? '' : text };
}

export type JsonAnswer = { readonly headers: Headers; readonly json: Readonly<Record<string, unknown>> };

/** As `requestText`; also throws a `SecretError` for a status that is no success, or what is no JSON object. */
export async function requestJson(
  peer: string,
  url: URL,
  headers: Fields,
  form?: Fields,
): Promise<JsonAnswer> {
  const answer = await requestText(peer, url, headers, form);
  const json = parseObject(answer.text);
  if (!answer.ok) throw new SecretError(`${peer} answered ${answer.status}${reasonIn(json)}`);
  if (json === undefined) throw new SecretError(`${peer} answered with something else than a secret`);
  return { headers: answer.headers, json };
}

async function ask(peer: string, url: URL, headers: Fields, form: Fields | undefined): Promise<Response> {
  try {
    const post = form && { method: 'POST', body: new URLSearchParams({ ...form }) };
    const limits = { redirect: 'error', signal: AbortSignal.timeout(DEADLINE_MS) } as const;
    return await fetch(url, { ...post, headers, ...limits });
  } catch (error) {
    throw new SecretError(`${peer} cannot be reached`, { cause: error });
  }
}

/** Undefined where it is none. */
export function parseObject(text: string): Record<string, unknown> | undefined {
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
