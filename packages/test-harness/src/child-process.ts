// One program that we started: its output, its readiness, its end; and the faults that a test puts it through.
import { type ChildProcess as NodeChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { lineSplitter } from './line-splitter.ts';
import { programVersion } from './run-program.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface ChildProcessOptions {
  /** Names the program in errors. Default: the command. */
  readonly name?: string;
  readonly command: string;
  readonly arguments?: readonly string[];
  readonly workingDirectory?: string;
  /** Added to the environment of this process; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly onLine?: (line: string, stream: OutputStream) => void;
  /** Takes stdout as it comes; its lines are then neither kept nor told to `onLine`. For output that is data. */
  readonly onStdout?: (chunk: string) => void;
  /** How many of the latest lines are kept for errors and `lines()`. Default 500. */
  readonly keptLines?: number;
}

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WaitOptions {
  /** Default 30 000: a JVM on two busy cores. */
  readonly timeoutMs?: number;
  /** Pause between two probes. Default 25. */
  readonly intervalMs?: number;
}

export interface StopOptions {
  /** From SIGTERM to SIGKILL. Default 10 000. */
  readonly graceMs?: number;
}

// Enough to show why a JVM died, short enough to read in a test report.
const LINES_IN_ERRORS = 30;
// Output still in the pipe at exit comes within this; a grandchild that holds the pipe open is not waited for.
const LAST_OUTPUT_MS = 250;

const running = new Set<NodeChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ChildProcess {
  readonly name: string;
  readonly pid: number;
  /** Settles when the program has ended, for whatever reason; never rejects. */
  readonly exited: Promise<Exit>;
  readonly #child: NodeChildProcess;
  readonly #lines: string[] = [];
  readonly #keptLines: number;
  readonly #listeners = new Set<(line: string, stream: OutputStream) => void>();
  #exit: Exit | undefined;
  #frozen = false;

  /**
   * Starts the program, without a shell, in a process group of its own: Ctrl-C reaches us alone, and we end our
   * children in order. They end with us, also when we are killed where the system can do that (Linux).
   *
   * @throws when there is no such program
   */
  static async start(options: ChildProcessOptions): Promise<ChildProcess> {
    const [command, ...args] = await endingWithParent([options.command, ...(options.arguments ?? [])]);
    const child = spawn(command, args, {
      ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory }),
      // Handed on whole and never read: settings are the business of the programs' own entries.
      ...(options.environment === undefined ? {} : { env: { ...process.env, ...options.environment } }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return new ChildProcess(child, options);
  }

  private constructor(child: NodeChildProcess, options: ChildProcessOptions) {
    this.name = options.name ?? options.command;
    this.pid = child.pid as number;
    this.#child = child;
    this.#keptLines = options.keptLines ?? 500;
    if (options.onLine) this.#listeners.add(options.onLine);
    this.exited = this.#observeExit(options.onStdout);
    running.add(child);
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** The latest lines of both streams, in order of arrival. */
  lines(): readonly string[] {
    return [...this.#lines];
  }

  /** Hands each further line to `listener` until the returned function is called. */
  onLine(listener: (line: string, stream: OutputStream) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The first line, among those kept and those to come, for which `matches` holds.
   * @throws when the program ends or the time is over first; the text holds its last lines
   */
  async waitForLine(
    matches: (line: string) => boolean,
    { timeoutMs = 30_000 }: WaitOptions = {},
  ): Promise<string> {
    let found = this.#lines.find(matches);
    const stopListening = this.onLine((line) => {
      if (found === undefined && matches(line)) found = line;
    });
    try {
      await this.waitUntil(() => found !== undefined, { timeoutMs, intervalMs: 10 });
    } finally {
      stopListening();
    }
    return found as string;
  }

  /**
   * Calls `probe` until it answers true; a probe that throws has not answered yet.
   * @throws when the program ends or the time is over first; the text holds its last lines
   */
  async waitUntil(
    probe: () => boolean | Promise<boolean>,
    { timeoutMs = 30_000, intervalMs = 25 }: WaitOptions = {},
  ): Promise<void> {
    const startedAt = performance.now();
    while (!(await holds(probe))) {
      if (this.#exit) throw this.#failure(`ended (${describeExit(this.#exit)}) before it was ready`);
      if (performance.now() - startedAt > timeoutMs)
        throw this.#failure(`was not ready within ${timeoutMs} ms`);
      await Promise.race([delay(intervalMs), this.exited]);
    }
  }

  /** SIGTERM, then SIGKILL after the grace period. A frozen program is thawed first, or it could not obey. */
  async stop({ graceMs = 10_000 }: StopOptions = {}): Promise<Exit> {
    if (this.#exit) return this.#exit;
    this.thaw();
    this.#child.kill('SIGTERM');
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(impatience);
    }
  }

  /** SIGKILL: the program gets no chance to save or say anything. */
  async kill9(): Promise<Exit> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** SIGSTOP: it keeps its sockets and its memory and does nothing. */
  freeze(): void {
    this.#frozen = this.#child.kill('SIGSTOP');
  }

  /** SIGCONT; does nothing to a program that is not frozen. */
  thaw(): void {
    if (this.#frozen) this.#child.kill('SIGCONT');
    this.#frozen = false;
  }

  async #observeExit(onStdout: ((chunk: string) => void) | undefined): Promise<Exit> {
    const outputEnded = Promise.all([this.#observeOutput('stdout', onStdout), this.#observeOutput('stderr')]);
    const exit = await new Promise<Exit>((resolve) =>
      this.#child.once('exit', (code, signal) => resolve({ code, signal })),
    );
    running.delete(this.#child);
    await Promise.race([outputEnded, delay(LAST_OUTPUT_MS, undefined, { ref: false })]);
    this.#exit = exit;
    return exit;
  }

  #observeOutput(stream: OutputStream, onChunk?: (chunk: string) => void): Promise<void> {
    const output = this.#child[stream];
    if (!output) return Promise.resolve();
    const splitter = lineSplitter((line) => this.#keep(line, stream));
    output.setEncoding('utf8');
    output.on('data', onChunk ?? ((chunk: string) => splitter.push(chunk)));
    return new Promise((resolve) => {
      output.once('close', () => {
        splitter.end();
        resolve();
      });
    });
  }

  #keep(line: string, stream: OutputStream): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#keptLines) this.#lines.shift();
    for (const listener of this.#listeners) listener(line, stream);
  }

  #failure(what: string): Error {
    const lastLines = this.#lines.slice(-LINES_IN_ERRORS);
    const said = lastLines.length > 0 ? `It said last:\n  ${lastLines.join('\n  ')}` : 'It said nothing.';
    return new Error(`${this.name} ${what}. ${said}`);
  }
}

async function holds(probe: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await probe();
  } catch {
    return false;
  }
}

function describeExit({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

let parentDeathSignal: Promise<boolean> | undefined;

/**
 * The command, run so that the kernel kills it when this process dies; unchanged where that cannot be had.
 * `setpriv` of util-linux replaces itself by the program, so the pid stays the program's own. An 'exit' handler
 * alone would leave the program behind when this process is killed.
 */
async function endingWithParent(
  command: readonly [string, ...string[]],
): Promise<readonly [string, ...string[]]> {
  parentDeathSignal ??= programVersion('setpriv', ['--pdeathsig', 'KILL', 'true']).then(
    (answer) => answer !== undefined,
  );
  return (await parentDeathSignal) ? ['setpriv', '--pdeathsig', 'KILL', '--', ...command] : command;
}
