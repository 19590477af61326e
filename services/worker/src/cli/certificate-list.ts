/** `g2k certificates list` */
import { connectFailFast, queueNames } from '@graph2kafka/shared';
import { loadEncryptionKeys } from '../rich/encryption-keys.ts';
import { certificatesInUse } from '../subscriptions/rotations.ts';
import { createSubscriptionStore, type KnownSubscription } from '../subscriptions/subscription-store.ts';
import { type CertificateRow, certificateRows } from './certificate-rows.ts';
import type { CertificateSettings } from './cli-settings.ts';
import { plainJson } from './plain-text.ts';
import { type RedisPlace, untilReady } from './redis-place.ts';
import { tableLines } from './table-lines.ts';
import type { Terminal } from './terminal.ts';

const HEAD = ['CERTIFICATE', 'STATE', 'FROM', 'UNTIL', 'SUBSCRIPTIONS'];

/** Resolves to the exit code. */
export async function listCertificates(
  { json }: { readonly json: boolean },
  settings: CertificateSettings,
  terminal: Terminal,
  now: () => number,
): Promise<number> {
  const { ENCRYPTION_KEYS: places, ENCRYPTION_CURRENT_KEY: current, readKey: read } = settings;
  const keys = await loadEncryptionKeys({ places, current, read, now });
  const known = await readSubscriptions(settings);
  const inUse = known.length === 0 ? undefined : certificatesInUse(known, now());
  const rows = certificateRows(keys.held(), keys.current()?.id, inUse, now());
  for (const line of json ? rows.map((row) => plainJson(row)) : table(rows)) terminal.out(line);
  if (!inUse) terminal.err('this Redis knows no subscription: what is still used cannot be told');
  return rows.length === 0 || rows.some(({ state }) => state === 'missing') ? 1 : 0;
}

async function readSubscriptions(place: RedisPlace): Promise<readonly KnownSubscription[]> {
  let lastProblem: Error | undefined;
  const redis = connectFailFast(place.REDIS_URL, (error) => {
    lastProblem = error;
  });
  try {
    await untilReady(redis, place.REDIS_URL, () => lastProblem);
    return await createSubscriptionStore(redis, queueNames(place.REDIS_PREFIX)).all();
  } finally {
    redis.disconnect();
  }
}

function table(rows: readonly CertificateRow[]): string[] {
  const cells = rows.map(({ certificate, state, from, until, subscriptions }) => [
    certificate,
    state,
    from ?? '-',
    until ?? '-',
    subscriptions?.toString() ?? '-',
  ]);
  return tableLines(HEAD, cells);
}
