/**
 * Whether our own addresses answer as Graph wants it, asked before living subscriptions are turned to new ones: whether Graph
 * validates an address that comes with a PATCH is not documented, and one that is let go for a new one is gone.
 */
import type { TenantDeps } from './reconcile.ts';
import type { Session } from './session.ts';

/** Asked once in a reconciliation, and said once. */
export function doAnswer(session: Session, tenant: TenantDeps): Promise<boolean> {
  const { notificationUrl, lifecycleNotificationUrl = notificationUrl } = tenant;
  const key = `${notificationUrl} ${lifecycleNotificationUrl}`;
  const known = session.answering.get(key) ?? ask(session, [notificationUrl, lifecycleNotificationUrl]);
  session.answering.set(key, known);
  return known;
}

async function ask({ deps, tally }: Session, urls: readonly string[]): Promise<boolean> {
  for (const url of new Set(urls)) {
    const problem = await deps.handshakeProblem?.(url);
    if (problem === undefined) continue;
    const address = URL.parse(url)?.host;
    tally.failed.push(`address: ${address} ${problem}`);
    deps.log.error({ address, problem }, 'subscription.address-not-answering');
    return false;
  }
  return true;
}
