/** How long Graph lets subscriptions live: by the table, or less, where it has said so in refusing one. */
import { type Logger, parseResourcePath } from '@graph2kafka/shared';
import { kindOfWatched } from '../resources/find-kind.ts';
import type { HeldFleet } from './fleet.ts';
import { explainTrouble } from './troubles.ts';
import type { Wish } from './wanted-subscriptions.ts';

export type LearntLives = {
  /** Minutes to ask for. */
  of(wish: Wish): number;
  /** Graph allows `minutes`; `asked` were refused. Resolves to whether less is asked for from now on. */
  learn(wish: Wish, minutes: number, asked: number): Promise<boolean>;
};

/** Where Graph names what was asked for, or more, its clock and ours differ: a little less each time. */
const STEP_MINUTES = 10;
/** Graph gives no shorter one. */
const SHORTEST_MINUTES = 45;

export function createLearntLives(
  known: Readonly<Record<string, number>>,
  fleet: Pick<HeldFleet, 'setState'>,
  log: Logger,
): LearntLives {
  const lives = new Map(Object.entries(known));
  const of = (wish: Wish) => Math.min(wish.lifeMinutes, lives.get(kindKey(wish)) ?? wish.lifeMinutes);
  return {
    of,
    async learn(wish, minutes, asked) {
      const life = Math.max(SHORTEST_MINUTES, Math.min(minutes, asked - STEP_MINUTES));
      // Another wish of the kind may have met the same.
      if (of(wish) <= life) return of(wish) < asked;
      lives.set(kindKey(wish), life);
      await fleet.setState({ lives: Object.fromEntries(lives) });
      log.warn({ kind: kindKey(wish), asked_minutes: asked, minutes: life }, 'subscription.shorter-life');
      return true;
    },
  };
}

function kindKey({ resource, rich }: Wish): string {
  const path = parseResourcePath(resource);
  const kind = (path.ok && kindOfWatched(path.path)?.name) || resource;
  return rich ? `rich ${kind}` : kind;
}

/** Once more where Graph says how long it may live. */
export async function withLearntLife<T>(
  { lives }: { readonly lives: LearntLives },
  wish: Wish,
  ask: () => Promise<T>,
): Promise<T> {
  const asked = lives.of(wish);
  try {
    return await ask();
  } catch (error) {
    const { lifeMinutes } = explainTrouble(error);
    if (lifeMinutes === undefined || !(await lives.learn(wish, lifeMinutes, asked))) throw error;
    return ask();
  }
}
