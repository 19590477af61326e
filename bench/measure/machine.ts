/** On what machine the numbers came about, without which they mean nothing. */
import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { summarizeLatencies } from '../load/latencies.ts';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** As it names itself; `undefined` where none is on PATH. */
  readonly redis: string | undefined;
  /** Over the last minute, before the benchmark began: what others did here meanwhile. */
  readonly loadAverage: number;
  /** Of appending 512 bytes and syncing them: the price of one write that Redis confirms under `always`. */
  readonly syncP50Ms: number;
  readonly syncP99Ms: number;
};

const SYNCS = 200;
const SYNCED_BYTES = 512;

/** Tries the disk in `dir`, where Redis will keep its file: about 0.2 s. */
export async function describeMachine(dir: string, now: () => number): Promise<Machine> {
  const [loadAverage = 0] = loadavg();
  const syncs = summarizeLatencies(await timeSyncs(join(dir, 'sync-probe'), now));
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${release()}`,
    node: process.version,
    redis: await redisVersion(),
    loadAverage,
    syncP50Ms: syncs?.p50Ms ?? 0,
    syncP99Ms: syncs?.p99Ms ?? 0,
  };
}

async function timeSyncs(file: string, now: () => number): Promise<number[]> {
  const handle = await open(file, 'a');
  const timesMs: number[] = [];
  try {
    for (let i = 0; i < SYNCS; i++) {
      const startedAt = now();
      await handle.write(Buffer.alloc(SYNCED_BYTES));
      await handle.datasync();
      timesMs.push(now() - startedAt);
    }
  } finally {
    await handle.close();
    await rm(file);
  }
  return timesMs;
}

async function redisVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('redis-server', ['--version']);
    return /v=(\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
