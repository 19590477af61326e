/** A client that posts as Graph does, at a steady rate over kept connections, and remembers how it fared. */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { changed, collection } from './graph-posts.ts';

export type Fared = {
  /** Status → answers; 0: the connection ended without one. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly latenciesMs: readonly number[];
};

const PATIENCE_MS = 10_000;

/** Posts every `everyMs` whatever the answers, until `isOver`; resolves when all answers are there. */
export async function behaveWell(url: string, everyMs: number, isOver: () => boolean): Promise<Fared> {
  const pool = new Pool(url, { connections: null, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const statuses: Record<number, number> = {};
  const latenciesMs: number[] = [];
  const underWay: Promise<void>[] = [];
  const post = async (n: number) => {
    const sentAt = performance.now();
    const status = await postOne(pool, collection(changed({}, `well-behaved-${n}`)));
    latenciesMs.push(performance.now() - sentAt);
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  for (let n = 0; !isOver(); n++) {
    underWay.push(post(n));
    await delay(everyMs);
  }
  await Promise.all(underWay);
  await pool.destroy();
  return { statuses, latenciesMs };
}

async function postOne(pool: Pool, body: string): Promise<number> {
  try {
    const answer = await pool.request({
      path: '/events',
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body,
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return 0;
  }
}
