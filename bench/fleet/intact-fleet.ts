/** The fleet in memory, which is never emptied or exchanged: how often it was taken for that all the same. */
import type { Fleet } from '../../services/worker/src/subscriptions/fleet.ts';
import { MemoryFleet, type Step } from '../../services/worker/test/support/memory-fleet.ts';

export class IntactFleet extends MemoryFleet {
  falseAlarms = 0;

  override seenBy(step: Step): Fleet {
    const fleet = super.seenBy(step);
    return {
      ...fleet,
      hold: async () => {
        const held = await fleet.hold();
        return (
          held && {
            ...held,
            setState: async (changed) => {
              await held.setState(changed);
              if (changed.catchUp?.why === 'lost') this.falseAlarms++;
            },
          }
        );
      },
    };
  }
}
