/** Runs every planted bug's scenario with the bug and without it: the first must be caught, the second must pass. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBroker } from '@graph2kafka/test-harness';
import { PLANTED_BUGS, type PlantedBug } from './build/planted-bugs.ts';
import { violationsOf } from './judgement.ts';
import { bugScenarios, runBugScenario } from './planted-bug-scenarios.ts';

/** Resolves to the exit code: 1 when a bug was missed or the product as it is was blamed. */
export async function proveBugs(write: (text: string) => void, stopping: AbortSignal): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-bugs-'));
  cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  const kafka = cleanup.use(await KafkaBroker.start({ dir }));
  let failures = 0;
  for (const bug of PLANTED_BUGS) {
    if (stopping.aborted) break;
    const proof = await prove(bug, kafka.brokers);
    if (!proof.ok) failures++;
    write(proof.line);
  }
  write(
    failures === 0 ? 'Fine: every planted bug is caught, and only those.' : `Not fine: ${failures} failures.`,
  );
  return failures === 0 ? 0 : 1;
}

async function prove(bug: PlantedBug, brokers: string): Promise<{ ok: boolean; line: string }> {
  const scenario = bugScenarios[bug];
  const withBug = violationsOf(await runBugScenario(scenario, bug, brokers));
  const without = violationsOf(await runBugScenario(scenario, undefined, brokers));
  const isCaught = withBug.includes(scenario.caughtBy);
  const told = isCaught ? `caught by ${withBug.join(', ')}` : `MISSED, ${scenario.caughtBy} was expected`;
  const blamed = without.length > 0 ? `; the product as it is: ${without.join(', ')}` : '';
  return { ok: isCaught && without.length === 0, line: `${bug}: ${told} (${scenario.because})${blamed}` };
}
