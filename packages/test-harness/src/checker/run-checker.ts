/** The delivery checker as a process of its own: compares what was acknowledged with what lies in Kafka. */
import { fileURLToPath } from 'node:url';
import { ChildProcess } from '../child-process.ts';
import type { Verdict } from './verdict.ts';

const CHECKER = fileURLToPath(new URL('main.ts', import.meta.url));

export interface CheckedRun {
  readonly changeLogFile: string;
  readonly brokers: string;
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** Where Kafka's jars are; found or fetched without it. */
  readonly kafkaLibDir?: string;
}

/** Rejects where the checker could not judge, with what it said. */
export async function runChecker(run: CheckedRun): Promise<Verdict> {
  const { changeLogFile, brokers, topic, deadLetterTopic, kafkaLibDir } = run;
  let answer = '';
  const checker = await ChildProcess.start({
    name: 'checker',
    command: process.execPath,
    arguments: [
      ...[CHECKER, '--json', '--change-log', changeLogFile, '--brokers', brokers, '--topic', topic],
      ...['--dead-letter-topic', deadLetterTopic],
      ...(kafkaLibDir === undefined ? [] : ['--kafka-lib', kafkaLibDir]),
    ],
    onStdout: (chunk) => {
      answer += chunk;
    },
  });
  await checker.exited;
  if (!answer.startsWith('{')) throw new Error(`the checker gave no verdict: ${checker.lines().join('\n')}`);
  return JSON.parse(answer) as Verdict;
}
