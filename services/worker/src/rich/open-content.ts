/**
 * The state that a rich notification carries: proven to be Graph's, decrypted, and in the shape that a fetch would give.
 * What cannot be judged yet (no list of signing keys, a private key that is not held) waits; what was altered, or comes
 * without a proof for its tenant, is never published.
 */
import type { ContentStore, Logger, StoredContent } from '@graph2kafka/shared';
import type { ResourceState } from '../graph/fetch-resource.ts';
import { versionOf } from '../graph/resource-version.ts';
import type { ChangeNews } from '../inbox/merge-entries.ts';
import { chooseKey } from './choose-key.ts';
import { decryptContent } from './decrypt-content.ts';
import type { HeldKey } from './private-keys.ts';
import { type TokenVerifier, verdictFor } from './validation-tokens.ts';

export type Opened =
  | { readonly next: 'state'; readonly state: ResourceState }
  | { readonly next: 'wait'; readonly ms: number; readonly countsAsAttempt: boolean; readonly reason: string }
  | { readonly next: 'giveUp'; readonly reason: string };

/** `waitingMs`: how long it has waited already; `id`: of the resource, which Outlook's content does not hold. */
export type OpenContent = (
  news: ChangeNews,
  content: StoredContent,
  known: { readonly id: string | undefined; readonly receivedAt: number; readonly waitingMs: number },
) => Promise<Opened>;

export type OpenContentDeps = {
  /** Asked each time: keys are added while the service runs. */
  readonly keys: () => readonly HeldKey[];
  /** Each tenant's tokens are made for an app of its own. */
  readonly verifierOf: (tenantId: string) => TokenVerifier;
  readonly contents: Pick<ContentStore, 'tokens'>;
  readonly log: Logger;
};

/** As long again as it has waited, so that a key that comes late is noticed soon and a missing one costs little. */
const SHORTEST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
/** A key that is not there after a day will not come; the content is kept for three. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export function createOpenContent({ keys, verifierOf, contents, log }: OpenContentDeps): OpenContent {
  return async (news, content, { id, receivedAt, waitingMs }) => {
    const ms = Math.min(Math.max(waitingMs, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
    const wait = (reason: string): Opened =>
      waitingMs > LONGEST_WAIT_MS
        ? { next: 'giveUp', reason }
        : { next: 'wait', ms, countsAsAttempt: true, reason };
    const tokens = await contents.tokens(news.contentId ?? '');
    const found = await verifierOf(news.tenantId).verify(tokens, receivedAt);
    const verdict = verdictFor(news.tenantId, found);
    if (verdict === 'undecided') {
      log.warn({ subscription: news.subscriptionId }, 'content.tokens-undecided');
      return wait('the keys that sign validation tokens cannot be had');
    }
    if (verdict === 'unproven') {
      const { refusals } = found;
      log.warn({ subscription: news.subscriptionId, tokens: tokens.length, refusals }, 'content.unproven');
      return { next: 'giveUp', reason: 'no valid validation token for its tenant' };
    }
    const key = chooseKey(keys(), content);
    if (key === undefined) {
      const { encryptionCertificateId: certificate, encryptionCertificateThumbprint: thumbprint } = content;
      log.warn({ subscription: news.subscriptionId, certificate, thumbprint }, 'content.key-not-held');
      return wait(`the private key of the certificate ${JSON.stringify(certificate)} is not held`);
    }
    const opened = decryptContent(content, key.privateKey);
    if (!opened.ok) {
      log.warn({ subscription: news.subscriptionId, failed_at: opened.failedAt }, 'content.refused');
      return { next: 'giveUp', reason: opened.reason };
    }
    return { next: 'state', state: stateOf(opened.data, news, id, receivedAt) };
  };
}

/** Like the answer of a fetch, which names the resource and its version, and has no notes of types. */
function stateOf(
  content: Readonly<Record<string, unknown>>,
  { etag }: ChangeNews,
  id: string | undefined,
  receivedAt: number,
): ResourceState {
  const { '@odata.context': _context, '@odata.id': _id, ...properties } = content;
  const data = {
    ...(etag === undefined ? {} : { '@odata.etag': etag }),
    ...(id === undefined ? {} : { id }),
    ...(withoutNotes(properties) as Record<string, unknown>),
  };
  return { data, version: versionOf(data), readAt: receivedAt };
}

/** `@odata.type` and `attendees@odata.type`, on every level; a fetch has them only where a type is not the declared one. */
function withoutNotes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNotes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !name.endsWith('@odata.type'))
      .map(([name, inner]) => [name, withoutNotes(inner)]),
  );
}
