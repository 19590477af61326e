/** The fleet in memory, with its counts kept while nothing that they count has changed: they are asked for in each tick. */
import type { Fleet, FleetCounts, HeldFleet } from '../../services/worker/src/subscriptions/fleet.ts';
import { MemoryFleet, type Step } from '../../services/worker/test/support/memory-fleet.ts';

export class LightFleet extends MemoryFleet {
  /** How often it was taken for emptied or exchanged, which it never is. */
  falseAlarms = 0;
  private kept: FleetCounts | undefined;

  override seenBy(step: Step): Fleet {
    const fleet = super.seenBy(step);
    const counts = async () => {
      this.kept ??= await fleet.counts();
      return this.kept;
    };
    return {
      ...fleet,
      counts,
      hold: async () => {
        const held = await fleet.hold();
        return held && this.noticing(held, counts);
      },
    };
  }

  private noticing(held: HeldFleet, counts: Fleet['counts']): HeldFleet {
    return {
      ...held,
      counts,
      save: async (subscription) => {
        const known = this.subscriptions.get(subscription.id);
        await held.save(subscription);
        const isAlike =
          known?.secret === subscription.secret && known?.replacedAt === subscription.replacedAt;
        if (!known || !isAlike) this.kept = undefined;
      },
      forget: async (id) => {
        await held.forget(id);
        this.kept = undefined;
      },
      setState: async (changed) => {
        await held.setState(changed);
        if (changed.catchUp?.why === 'lost') this.falseAlarms++;
      },
      note: async (wish, trouble) => {
        await held.note(wish, trouble);
        this.kept = undefined;
      },
    };
  }
}
