/** Whether something was missed as a whole: nobody reconciled for long, or Redis is not what it was. */
import { randomUUID } from 'node:crypto';
import type { FleetState, WishRecord } from './fleet.ts';
import { CATCH_UP, changeState, type Session } from './session.ts';
import { CLOCKS_APART_MS, findCatchUp, isOutdated } from './sweep-need.ts';
import { wishByWatch } from './wish-fingerprints.ts';

/** After Redis was lost, wishes that are served for the first time in so long may have had a subscription before. */
const LOST_FOR_MS = 86_400_000;

/** `records`: everything, where it was read. Resolves to whether everything is caught up with from now on. */
export async function noteState(
  session: Session,
  records: readonly WishRecord[] | undefined,
): Promise<boolean> {
  const { deps, state, tenants, lists, blind, present } = session;
  if (state.generation === undefined) {
    for (const id of tenants.keys()) {
      if (lists.has(id)) blind.delete(id);
      else blind.add(id);
    }
  }
  const why = findCatchUp(present, records !== undefined && showsOutdated(session, records));
  const changed: { -readonly [K in keyof FleetState]?: FleetState[K] } = { aliveAt: deps.now() };
  if (why) {
    changed.catchUp = { at: deps.now() - CLOCKS_APART_MS, why };
    deps.log.warn({ why: CATCH_UP[why] }, 'subscription.catching-up');
  }
  // As long as a tenant could not be listed, it may still show that Redis was emptied.
  if (state.generation === undefined && blind.size === 0 && records) changed.generation = randomUUID();
  await changeState(session, changed);
  return why !== undefined;
}

function showsOutdated(session: Session, records: readonly WishRecord[]): boolean {
  const { tenants, lists, lives, wishes, state, known = new Map() } = session;
  const intents = new Set(records.flatMap(({ intent }) => intent?.nonce ?? []));
  const inTrouble = new Set(
    records.flatMap(({ trouble, subscriptions }) => (trouble ? subscriptions.map(({ id }) => id) : [])),
  );
  const byWatch = wishByWatch(wishes);
  return isOutdated(
    [...tenants.keys()].flatMap((id) => lists.of(id)?.ours ?? []),
    {
      aliveAt: state.aliveAt,
      isUnmarked: state.generation === undefined,
      known,
      hasIntent: (nonce) => intents.has(nonce),
      lifeMinutesOf(one) {
        const wish = inTrouble.has(one.id) ? undefined : byWatch(one);
        return wish && lives.of(wish);
      },
    },
  );
}

/** Why a wish that seems to be new may have had a subscription. */
export function lostLately({ state: { catchUp }, deps }: Session): string | undefined {
  const isLate = catchUp?.why === 'lost' && deps.now() - catchUp.at < LOST_FOR_MS;
  return isLate ? CATCH_UP.lost : undefined;
}
