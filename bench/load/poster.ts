/** Posts notifications to a receiver over connections that it keeps, as Graph does. */
import { Pool } from 'undici';
import { NO_ANSWER } from './answers.ts';

/** Graph gives up on a first attempt after 3 s; a longer look shows how late the answer would have been. */
const PATIENCE_MS = 10_000;

export type Poster = {
  /** Resolves to the status once the answer is read, or to `NO_ANSWER`. */
  post(body: string): Promise<number>;
  close(): Promise<void>;
};

/** As many connections as there are requests under way: none waits for another inside the load generator. */
export function createPoster(receiverUrl: string): Poster {
  const pool = new Pool(receiverUrl, {
    connections: null,
    pipelining: 1,
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
  });
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return {
    async post(body) {
      try {
        const answer = await pool.request({ path: '/events', method: 'POST', headers, body });
        await answer.body.dump();
        return answer.statusCode;
      } catch {
        return NO_ANSWER;
      }
    },
    close: () => pool.destroy(),
  };
}
