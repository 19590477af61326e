/** What a process has used so far: CPU time and memory, as Linux tells. */
import { readFile } from 'node:fs/promises';

export type ProcessUsage = {
  /** All threads, user and system; told in steps of 10 ms. */
  readonly cpuMs: number;
  readonly residentBytes: number;
};

/** Linux shows ticks of 1/100 s to programs on every architecture (proc(5), USER_HZ). */
const MS_PER_TICK = 10;

/** The text of /proc/<pid>/stat → CPU time. The name in parentheses may hold spaces and parentheses itself. */
export function cpuMsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc(5), counted from 1 with pid and name: utime and stime.
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`not a line of /proc/<pid>/stat: ${stat}`);
  return ticks * MS_PER_TICK;
}

/** The text of /proc/<pid>/status → resident memory. */
export function residentBytesOf(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** `undefined` where there is no /proc (macOS). @throws when the process has ended */
export async function readUsage(pid: number): Promise<ProcessUsage | undefined> {
  if (process.platform !== 'linux') return undefined;
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  return { cpuMs: cpuMsOf(stat), residentBytes: residentBytesOf(status) };
}
