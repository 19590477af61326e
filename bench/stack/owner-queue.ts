/** Holds up the queue of owners and lets it go, as an operator does in Bull Board. */
import { LOCAL_ADMIN_PASSWORD, type Service } from '@graph2kafka/test-harness';

const AUTHORIZATION = `Basic ${Buffer.from(`admin:${LOCAL_ADMIN_PASSWORD}`).toString('base64')}`;

/** The state lies in Redis: it holds for every worker, also for one that starts later. @throws where it is refused */
export async function setOwnerQueue(worker: Service, state: 'pause' | 'resume'): Promise<void> {
  const url = `${worker.url}/queues/api/queues/owners/${state}`;
  const answer = await fetch(url, { method: 'PUT', headers: { authorization: AUTHORIZATION } });
  if (!answer.ok) throw new Error(`Bull Board answered ${answer.status} to ${state}`);
}
