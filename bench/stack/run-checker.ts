/** The delivery checker as a process of its own: compares what was acknowledged with what lies in Kafka. */
import { fileURLToPath } from 'node:url';
import { ChildProcess, type Verdict } from '@graph2kafka/test-harness';
import type { WholePipeline } from './whole-pipeline.ts';

const CHECKER = fileURLToPath(new URL('../../packages/test-harness/src/checker/main.ts', import.meta.url));

/** `changeLogFile` is another than the simulator's own where a part of the run is to be judged. */
export async function runChecker(
  { settings, kafka }: WholePipeline,
  changeLogFile: string,
): Promise<Verdict> {
  let answer = '';
  const checker = await ChildProcess.start({
    name: 'checker',
    command: process.execPath,
    arguments: [
      CHECKER,
      '--json',
      '--change-log',
      changeLogFile,
      '--brokers',
      settings.brokers,
      '--topic',
      settings.topic,
      '--dead-letter-topic',
      settings.deadLetterTopic,
      '--kafka-lib',
      kafka.libDir,
    ],
    onStdout: (chunk) => {
      answer += chunk;
    },
  });
  await checker.exited;
  if (!answer.startsWith('{')) throw new Error(`the checker gave no verdict: ${checker.lines().join('\n')}`);
  return JSON.parse(answer) as Verdict;
}

/** "3 lostNotifications, 1 staleLastWord"; empty when all is well. */
export function describeProblems({ problems }: Verdict): string {
  return Object.entries(problems)
    .filter(([, { count }]) => count > 0)
    .map(([kind, { count }]) => `${count} ${kind}`)
    .join(', ');
}
