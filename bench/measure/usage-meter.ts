/** What some processes use between two moments. */
import { type ProcessUsage, readUsage } from './process-usage.ts';

export type Used = {
  readonly cpuMs: number;
  /** At the second moment. */
  readonly residentBytes: number;
};

export type UsageMeter<Name extends string> = {
  /** Since the meter was started; `undefined` for each where the system does not tell. */
  read(): Promise<Readonly<Record<Name, Used | undefined>>>;
};

export async function startUsageMeter<Name extends string>(
  pids: Readonly<Record<Name, number>>,
): Promise<UsageMeter<Name>> {
  const before = await readAll(pids);
  return {
    async read() {
      const after = await readAll(pids);
      const used = names(pids).map((name) => [name, difference(before[name], after[name])]);
      return Object.fromEntries(used) as Record<Name, Used | undefined>;
    },
  };
}

/** CPU time for each of `count` notifications, in µs. */
export function cpuMicrosecondsEach(used: Used | undefined, count: number): number | undefined {
  return used === undefined || count === 0 ? undefined : (used.cpuMs * 1000) / count;
}

async function readAll<Name extends string>(
  pids: Readonly<Record<Name, number>>,
): Promise<Record<Name, ProcessUsage | undefined>> {
  const read = names(pids).map(async (name) => [name, await readUsage(pids[name])]);
  return Object.fromEntries(await Promise.all(read)) as Record<Name, ProcessUsage | undefined>;
}

function difference(before: ProcessUsage | undefined, after: ProcessUsage | undefined): Used | undefined {
  if (before === undefined || after === undefined) return undefined;
  return { cpuMs: after.cpuMs - before.cpuMs, residentBytes: after.residentBytes };
}

function names<Name extends string>(pids: Readonly<Record<Name, number>>): Name[] {
  return Object.keys(pids) as Name[];
}
