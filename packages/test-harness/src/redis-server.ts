// A real Redis server for a local run or a test, as durable as production demands it, and the faults it can have.
import { mkdir } from 'node:fs/promises';
import { ChildProcess, type StopOptions } from './child-process.ts';
import { freePort } from './free-port.ts';
import type { OnProgress } from './progress.ts';
import { answersPing } from './redis-probe.ts';
import { findRedisServer } from './redis-program.ts';

export interface RedisServerOptions {
  /** Holds the append-only file; made where it does not exist. One server at a time. */
  readonly dir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default `always`: an answered write survives kill -9 and power loss. */
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  /** As redis.conf spells it, e.g. `24mb`. Default: no limit. */
  readonly maxmemory?: string;
  /** Further arguments of the command line, e.g. `['--requirepass', 'x']`. They win over ours. */
  readonly extraArguments?: readonly string[];
  /** Default: the redis-server on PATH, otherwise one fetched from Maven Central. */
  readonly command?: string;
  readonly onProgress?: OnProgress;
}

// Of a port that we chose ourselves and that another process took before Redis bound it.
const MAX_PORTS_TRIED = 5;

export class RedisServer {
  readonly port: number;
  readonly #command: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess;

  /** Returns when the server answers PING. @throws when it cannot start; the text holds its last lines */
  static async start(options: RedisServerOptions): Promise<RedisServer> {
    const command = options.command ?? (await findRedisServer(options.onProgress));
    await mkdir(options.dir, { recursive: true });
    const portsToTry = options.port === undefined ? MAX_PORTS_TRIED : 1;
    for (let tried = 1; ; tried++) {
      const port = options.port ?? (await freePort());
      try {
        return new RedisServer(command, port, options, await launch(command, port, options));
      } catch (error) {
        if (tried >= portsToTry || !String(error).includes('Address already in use')) throw error;
      }
    }
  }

  private constructor(command: string, port: number, options: RedisServerOptions, process: ChildProcess) {
    this.#command = command;
    this.port = port;
    this.#options = options;
    this.#process = process;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Another one after each restart. */
  get pid(): number {
    return this.#process.pid;
  }

  lines(): readonly string[] {
    return this.#process.lines();
  }

  /** SIGTERM, then SIGKILL; safe to call twice. */
  async stop(options?: StopOptions): Promise<void> {
    await this.#process.stop(options);
  }

  async kill9(): Promise<void> {
    await this.#process.kill9();
  }

  /** It accepts connections (the kernel does) and answers nothing. */
  freeze(): void {
    this.#process.freeze();
  }

  thaw(): void {
    this.#process.thaw();
  }

  /** Stops it where it still runs, and starts it with the same folder, port and settings. */
  async restart(): Promise<void> {
    await this.stop();
    this.#process = await launch(this.#command, this.port, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function launch(command: string, port: number, options: RedisServerOptions): Promise<ChildProcess> {
  const process = await ChildProcess.start({
    name: `redis-server on port ${port}`,
    command,
    arguments: commandLine(port, options),
  });
  try {
    await process.waitUntil(() => answersPing(port), { intervalMs: 10 });
    return process;
  } catch (error) {
    await process.kill9();
    throw error;
  }
}

function commandLine(port: number, options: RedisServerOptions): string[] {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: options.dir,
    appendonly: 'yes',
    appendfsync: options.appendfsync ?? 'always',
    'no-appendfsync-on-rewrite': 'no',
    'maxmemory-policy': 'noeviction',
    // No snapshots: the append-only file is the only copy that a restart reads.
    save: '',
    ...(options.maxmemory === undefined ? {} : { maxmemory: options.maxmemory }),
  };
  const ours = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return [...ours, ...(options.extraArguments ?? [])];
}
