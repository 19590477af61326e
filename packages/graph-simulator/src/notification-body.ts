// The body of a POST: its items and, where any carries a resource, the tokens that prove who sends them.
import type { TokenAudience, ValidationTokens } from './validation-tokens.ts';

/** The part of an item that a body is made of. */
export interface BodyItem {
  /** Undefined for an item without resource data. */
  readonly audience?: TokenAudience | undefined;
  readonly json: string;
}

/** Each app in each tenant once, in order of appearance. */
function audiencesOf(items: readonly BodyItem[]): TokenAudience[] {
  const known = items.flatMap(({ audience }) => (audience === undefined ? [] : [audience]));
  return [...new Map(known.map((one) => [`${one.tenantId} ${one.appId}`, one])).values()];
}

/** A changeNotificationCollection as JSON text. */
export function collectionBody(
  items: readonly string[],
  tokens: readonly string[] | null | undefined,
): string {
  const proof = tokens === undefined ? '' : `,"validationTokens":${JSON.stringify(tokens)}`;
  return `{"value":[${items.join(',')}]${proof}}`;
}

/** Text at once where no item carries a resource, as nothing has to be signed then. */
export function notificationBody(
  items: readonly BodyItem[],
  tokens: ValidationTokens,
): string | Promise<string> {
  const texts = items.map(({ json }) => json);
  const audiences = audiencesOf(items);
  if (audiences.length === 0) return collectionBody(texts, undefined);
  const issued = Promise.all(audiences.map((audience) => tokens.issue(audience)));
  return issued.then((made) => collectionBody(texts, made));
}
