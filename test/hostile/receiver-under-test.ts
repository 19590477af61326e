/** A receiver as it is shipped, in a process of its own that tells how late its event loop was. */
import { randomUUID } from 'node:crypto';
import { type ChildProcess, eventually, startReceiver } from '@graph2kafka/test-harness';
import { LITERAL, SECRET } from './graph-posts.ts';
import type { LoopDelay } from './loop-delay.ts';
import { type StoredNews, takeStoredNews } from './stored-news.ts';

export type ReceiverUnderTest = AsyncDisposable & {
  readonly process: ChildProcess;
  readonly url: string;
  readonly port: number;
  /** All that it has said. */
  readonly lines: readonly string[];
  /** What is stored; a second look finds nothing. */
  takeStored(): Promise<StoredNews[]>;
  /** Ends it as a platform does. @throws where it had crashed */
  end(): Promise<LoopDelay>;
};

type Environment = Readonly<Record<string, string>>;

const HOOK = new URL('./loop-delay.ts', import.meta.url);
const nobody = { url: '', caFile: '', tenantId: '', clientId: '', clientSecret: '' };

export async function startReceiverUnderTest(
  redisUrl: string,
  environment: Environment = {},
): Promise<ReceiverUnderTest> {
  const redisPrefix = `h-${randomUUID().slice(0, 13)}`;
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  const stack = { redisUrl, redisPrefix, brokers: '', topic: '', deadLetterTopic: '', graph: nobody, onLine };
  const { process, url, port } = await startReceiver(stack, {
    CLIENT_STATE_SECRETS: SECRET,
    CLIENT_STATES_ACCEPTED: LITERAL,
    NODE_ENV: undefined,
    NODE_OPTIONS: `--import=${HOOK.href}`,
    ...environment,
  });
  await eventually(async () => (await fetch(`${url}/readyz`)).ok);
  return {
    process,
    url,
    port,
    lines,
    takeStored: () => takeStoredNews(redisUrl, redisPrefix),
    async end() {
      const { code, signal } = await process.stop();
      if (code !== 0)
        throw new Error(`the receiver ended with ${signal ?? code}: ${lines.slice(-5).join('\n')}`);
      const line = lines.findLast((text) => text.includes('"loopDelay"'));
      if (line === undefined) throw new Error('the receiver did not tell how late its event loop was');
      return (JSON.parse(line) as { loopDelay: LoopDelay }).loopDelay;
    },
    async [Symbol.asyncDispose]() {
      await process.kill9();
    },
  };
}

/** Lines that no input may cause. */
export function severeOf(lines: readonly string[]): string[] {
  return lines.filter((line) => /"level":"(error|fatal)"|"request\.failed"/.test(line));
}
