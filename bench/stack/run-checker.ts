/** The delivery checker, asked of a benchmark's pipeline. */
import { runChecker as check, type Verdict } from '@graph2kafka/test-harness';
import type { WholePipeline } from './whole-pipeline.ts';

/** `changeLogFile` is another than the simulator's own where a part of the run is to be judged. */
export function runChecker({ settings, kafka }: WholePipeline, changeLogFile: string): Promise<Verdict> {
  const { brokers, topic, deadLetterTopic } = settings;
  return check({ changeLogFile, brokers, topic, deadLetterTopic, kafkaLibDir: kafka.libDir });
}

/** "3 lostNotifications, 1 staleLastWord"; empty when all is well. */
export function describeProblems({ problems }: Verdict): string {
  return Object.entries(problems)
    .filter(([, { count }]) => count > 0)
    .map(([kind, { count }]) => `${count} ${kind}`)
    .join(', ');
}
