/** How far a reconciliation has come, and how long what is left will take, noted each second while it works. */
import { PACES } from './call-pace.ts';
import { changeState, type Session } from './session.ts';
import { ALIVE_EVERY_MS } from './sweep-need.ts';

/** As often as somebody looks at it. */
const EVERY_MS = 1000;
/** What goes out at once in the beginning is no measure of what follows: as if it had been paced as well. */
const BURST_MS = PACES.write.burst * PACES.write.intervalMs;

export type ProgressNotes = {
  /** One action of a wish was carried out, or has failed. */
  worked(wish: string): Promise<void>;
  /** These are not due any more, whatever was done. */
  pageDone(wishes: readonly string[]): Promise<void>;
  /** Nothing is to be seen of it any more. */
  end(): Promise<void>;
};

export function createProgressNotes(session: Session): ProgressNotes {
  const { deps, fleet, startedAt } = session;
  let notedAt = startedAt;
  let isShown = false;
  let done = 0;
  /** Of the page at hand, which is due until its end. */
  const inPage = new Set<string>();

  async function note(): Promise<void> {
    const now = deps.now();
    if (now - notedAt < EVERY_MS) return;
    notedAt = now;
    isShown = true;
    const left = Math.max(0, (await fleet.countDue(now)) - inPage.size);
    const worked = done + inPage.size;
    const rate = (worked * 1000) / (now - startedAt + BURST_MS);
    const leftMs = left === 0 ? 0 : Math.round((left / rate) * 1000);
    await fleet.setProgress({ startedAt, at: now, done: worked, left, rate, leftMs });
    if (now - (session.state.aliveAt ?? 0) > ALIVE_EVERY_MS) await changeState(session, { aliveAt: now });
  }

  return {
    async worked(wish) {
      inPage.add(wish);
      await note();
    },
    async pageDone(wishes) {
      inPage.clear();
      done += wishes.length;
      await note();
    },
    async end() {
      if (isShown) await fleet.setProgress(undefined);
    },
  };
}
