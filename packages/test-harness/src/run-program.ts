// Runs a program to its end, for its output; and finds out whether a program is there at all.
import { type ExecFileException, execFile } from 'node:child_process';

// The longest that we run to the end is Maven's download of Kafka: 43 MB, about 10 minutes at 0.6 Mbit/s.
const DEFAULT_TIMEOUT_MS = 600_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface RunOptions {
  /** The PATH in which the program is looked for. Default: this process's own. */
  readonly searchPath?: string;
  readonly workingDirectory?: string;
  readonly timeoutMs?: number;
}

export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws when it is not there, exits with another code than 0 or runs too long; the text holds its last words */
export function runProgram(
  command: string,
  args: readonly string[],
  { searchPath, workingDirectory, timeoutMs = DEFAULT_TIMEOUT_MS }: RunOptions = {},
): Promise<ProgramOutput> {
  const where = {
    ...(searchPath === undefined ? {} : { env: { PATH: searchPath } }),
    ...(workingDirectory === undefined ? {} : { cwd: workingDirectory }),
  };
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      { ...where, timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) =>
        error ? reject(failedRun(command, error, stdout, stderr)) : resolve({ stdout, stderr }),
    );
  });
}

/** What the program says when asked for its version; undefined where there is no such program. */
export async function programVersion(
  command: string,
  args: readonly string[] = ['--version'],
  options: RunOptions = {},
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await runProgram(command, args, options);
    // Java says its version on stderr.
    return stdout.trim() || stderr.trim();
  } catch {
    return undefined;
  }
}

function failedRun(command: string, error: ExecFileException, stdout: string, stderr: string): Error {
  const lastWords = `${stderr.trim()}\n${stdout.trim()}`.trim().slice(-2000);
  const how = error.killed ? 'took too long' : `failed (${error.code ?? error.signal})`;
  return new Error(`${command} ${how}${lastWords ? `: ${lastWords}` : ''}`, { cause: error });
}
