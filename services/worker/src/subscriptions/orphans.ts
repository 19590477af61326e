/** Ours in Graph's list that nobody wants and that we do not know: deleted, as far as the setting allows. */
import { eachOf } from './each-of.ts';
import { LeaseLostError } from './fleet.ts';
import type { GraphCalls } from './graph-calls.ts';
import { findOrphans } from './graph-list.ts';
import { AT_ONCE } from './perform.ts';
import type { Session } from './session.ts';

export async function sweepOrphans(session: Session): Promise<void> {
  const { deps, fleet, lists, listed, calls, unread } = session;
  // As of before the sweep, which forgets the intents of what nobody wants any more.
  const intents = new Set(session.records?.flatMap(({ intent }) => intent?.nonce ?? []));
  const isKnown = (id: string) => session.known?.has(id) === true;
  const isIntended = (nonce: string) => intents.has(nonce);
  for (const tenantId of listed) {
    const [listing, graph] = [lists.of(tenantId), calls.get(tenantId)];
    if (!listing || !graph || unread.length > 0) continue;
    // What was known when everything was read is so still, or was let go since, and deleted.
    const found = findOrphans(listing, { isKnown, isIntended }, deps.sweepOrphans);
    const known = new Set((await fleet.find(found)).map(({ id }) => id));
    const orphans = found.filter((id) => !known.has(id));
    await eachOf(orphans, AT_ONCE, (id) => deleteOrphan(session, graph, tenantId, id));
  }
}

async function deleteOrphan(
  { deps: { log }, tally }: Session,
  graph: GraphCalls,
  tenantId: string,
  id: string,
): Promise<void> {
  try {
    await graph.delete(id);
    tally.swept++;
    log.info({ tenant: tenantId, id }, 'subscription.orphan-deleted');
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    log.warn({ tenant: tenantId, id, err: error }, 'subscription.orphan-not-deleted');
  }
}
