/** Names an address of ours in few letters, so that it shows which subscriptions notify which; kept with each of them. Pure. */
import { createHash } from 'node:crypto';

/** As many as one deployment has had, and others of the tenant have. */
const MOST_KEPT = 1000;
const kept = new Map<string, string>();

/** The same for two spellings of one address; of none: that of the empty text. */
export function urlFingerprint(url: string | null | undefined): string {
  const text = url ?? '';
  const known = kept.get(text);
  if (known !== undefined) return known;
  const href = URL.canParse(text) ? new URL(text).href : text;
  const fingerprint = createHash('sha256').update(href).digest('hex').slice(0, 8);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(text, fingerprint);
  return fingerprint;
}
