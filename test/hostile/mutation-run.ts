/** Sends spoiled posts to a receiver, many at a time, and compares each answer and what is stored with what must be. */
import { Pool } from 'undici';
import { type Expected, expectedAnswer } from './expected-answer.ts';
import { problemsOf } from './harmless.ts';
import { type Mutation, mutation } from './mutations.ts';
import type { ReceiverUnderTest } from './receiver-under-test.ts';
import { countOf, type StoredNews } from './stored-news.ts';

export type MutationTally = {
  readonly cases: number;
  /** Status → answers. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly kept: number;
  readonly intact: number;
  /** Empty where all was as it must be; each names seed and number. */
  readonly problems: readonly string[];
};

/** What is stored is compared after so many, and one by one where that does not agree. */
const PER_BATCH = 500;
const AT_ONCE = 32;
const ENOUGH_PROBLEMS = 20;

export async function runMutations(
  receiver: ReceiverUnderTest,
  { seed, cases }: { readonly seed: number; readonly cases: number },
): Promise<MutationTally> {
  const pool = new Pool(receiver.url, { connections: AT_ONCE, pipelining: 1 });
  const statuses: Record<string, number> = {};
  const problems: string[] = [];
  let kept = 0;
  let intact = 0;
  let done = 0;
  try {
    for (; done < cases && problems.length < ENOUGH_PROBLEMS; done += PER_BATCH) {
      const count = Math.min(PER_BATCH, cases - done);
      const numbers = Array.from({ length: count }, (_, n) => done + n);
      const batch = await sendBatch(pool, seed, numbers, statuses, problems);
      kept += batch.kept;
      intact += batch.intact;
      const stored = await receiver.takeStored();
      if (describe(stored, batch) !== undefined)
        problems.push(...(await findCulprits(receiver, pool, seed, numbers)));
    }
  } finally {
    await pool.destroy();
  }
  return { cases: Math.min(done, cases), statuses, kept, intact, problems };
}

type Sums = Pick<Expected, 'kept' | 'intact'>;

async function sendBatch(
  pool: Pool,
  seed: number,
  numbers: readonly number[],
  statuses: Record<string, number>,
  problems: string[],
): Promise<Sums> {
  const left = [...numbers];
  const sums = { kept: 0, intact: 0 };
  const client = async () => {
    for (let number = left.pop(); number !== undefined; number = left.pop()) {
      const one = mutation(seed, number);
      const expected = expectedAnswer(one.body, one.isGzip, one.originals);
      sums.kept += expected.kept;
      sums.intact += expected.intact;
      const { status, wrong } = await send(pool, one, expected);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (wrong !== undefined)
        problems.push(`seed ${seed}, case ${number} (${one.how.join(', ')}): ${wrong}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return sums;
}

async function send(
  pool: Pool,
  { body, isGzip }: Mutation,
  expected: Expected,
): Promise<{ status: number; wrong: string | undefined }> {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    ...(isGzip ? { 'content-encoding': 'gzip' } : {}),
  };
  const answer = await pool.request({ path: '/events', method: 'POST', headers, body });
  const said = Buffer.from(await answer.body.arrayBuffer());
  const { statusCode: status } = answer;
  const found = problemsOf({ status, headers: answer.headers as Record<string, string>, body: said });
  if (status !== expected.status) found.push(`${status} ${said.toString()} instead of ${expected.status}`);
  return { status, wrong: found.length > 0 ? found.join('; ') : undefined };
}

/** What is wrong with what is stored; `undefined` where nothing is. */
function describe(stored: readonly StoredNews[], { kept, intact }: Sums): string | undefined {
  const all = countOf(stored, () => true);
  const readable = countOf(stored, ({ kind }) => kind !== 'unreadable');
  if (all !== kept) return `${all} notifications are stored instead of ${kept}`;
  return readable < intact ? `${readable} can be worked instead of ${intact} at least` : undefined;
}

async function findCulprits(
  receiver: ReceiverUnderTest,
  pool: Pool,
  seed: number,
  numbers: readonly number[],
): Promise<string[]> {
  const culprits: string[] = [];
  for (const number of numbers) {
    const sums = await sendBatch(pool, seed, [number], {}, []);
    const wrong = describe(await receiver.takeStored(), sums);
    const { how, body } = mutation(seed, number);
    if (wrong !== undefined)
      culprits.push(
        `seed ${seed}, case ${number} (${how.join(', ')}): ${wrong}: ${body.toString('latin1').slice(0, 400)}`,
      );
  }
  return culprits.length > 0
    ? culprits
    : [`seed ${seed}, cases ${numbers[0]} to ${numbers.at(-1)}: only together`];
}
