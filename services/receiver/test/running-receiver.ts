// The receiver as a process of its own, as it runs in production, and a driver that plays Graph.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type QueueNames, queueNames } from '@graph2kafka/shared';
import { ChildProcess, eventually, type Service, startReceiver } from '@graph2kafka/test-harness';
import { change, collection, SECRET } from './notifications.ts';
import { type Answer, get, post } from './post.ts';
import { type Stored, takeStored } from './stored.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface RunningReceiver extends AsyncDisposable {
  readonly process: Service['process'];
  readonly url: string;
  readonly names: QueueNames;
  /** Everything that it has said, on both streams. */
  readonly lines: readonly string[];
  /** One change of that event. */
  readonly post: (event?: string) => Promise<Answer>;
  readonly ready: () => Promise<Answer>;
  /** Waits until it accepts notifications. */
  readonly untilReady: () => Promise<unknown>;
  readonly takeStored: () => Promise<Stored>;
}

export interface RunOptions {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly environment?: Environment;
}

const nobody = { url: '', caFile: '', tenantId: '', clientId: '', clientSecret: '' };

export async function runReceiver(options: RunOptions): Promise<RunningReceiver> {
  const { redisUrl, prefix = `t-${randomUUID()}`, environment = {} } = options;
  const lines: string[] = [];
  const stack = {
    redisUrl,
    redisPrefix: prefix,
    brokers: '',
    topic: '',
    deadLetterTopic: '',
    graph: nobody,
    onLine: (line: string) => void lines.push(line),
  };
  const { process, url } = await startReceiver(stack, { CLIENT_STATE_SECRETS: SECRET, ...environment });
  const names = queueNames(prefix);
  const ready = () => get(`${url}/readyz`);
  return {
    process,
    url,
    names,
    lines,
    post: (event = 'e1') => post(`${url}/events`, collection(change({}, { event }))),
    ready,
    untilReady: () => eventually(async () => (await ready()).status === 200),
    takeStored: () => takeStored(redisUrl, names),
    [Symbol.asyncDispose]: async () => {
      await process.kill9();
    },
  };
}

/** Starts the program and waits for nothing. */
export function spawnReceiver(
  environment: Environment,
  onLine: (line: string, stream: 'stdout' | 'stderr') => void = () => {},
): Promise<ChildProcess> {
  return ChildProcess.start({
    name: 'receiver',
    command: process.execPath,
    arguments: [join(import.meta.dirname, '../src/main.ts')],
    environment,
    onLine,
  });
}

export interface Load {
  /** Events whose POST was answered with 202. */
  readonly accepted: ReadonlySet<string>;
  /** Of all answers, the statuses. */
  readonly statuses: readonly number[];
  /** The slowest answer. */
  readonly slowestMs: number;
  /** Lets what is under way end. */
  readonly stop: () => Promise<void>;
}

/** Posts without a pause, from several clients at once, each event once; connections that break are borne. */
export function startLoad(receiver: Pick<RunningReceiver, 'post'>, name: string, clients = 10): Load {
  const accepted = new Set<string>();
  const statuses: number[] = [];
  let slowestMs = 0;
  let stopped = false;
  const drive = async (client: number) => {
    for (let n = 0; !stopped; n++) {
      const event = `${name}-${client}-${n}`;
      const answer = await receiver.post(event).catch(() => undefined);
      if (answer === undefined) {
        await new Promise(setImmediate);
        continue;
      }
      statuses.push(answer.status);
      slowestMs = Math.max(slowestMs, answer.ms);
      if (answer.status === 202) accepted.add(event);
    }
  };
  const driving = Array.from({ length: clients }, (_, client) => drive(client));
  return {
    accepted,
    statuses,
    get slowestMs() {
      return slowestMs;
    },
    stop: async () => {
      stopped = true;
      await Promise.all(driving);
    },
  };
}

/** Accepted events that are not stored. */
export function lostOf(accepted: ReadonlySet<string>, { resources }: Stored): string[] {
  const stored = new Set(resources.map(({ resource }) => resource.split('/').at(-1)));
  return [...accepted].filter((event) => !stored.has(event));
}
