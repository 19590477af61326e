// Makes a folder whose content is costly (downloaded, computed) once, however many processes ask for it at a time.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;

/**
 * Returns when `folder` exists. Where it does not, `fill` is given an empty folder beside it that gets the name
 * when it is full, so that nobody ever sees a half-filled one. While another live process is at it, waits for that.
 *
 * @throws what `fill` throws; the next caller then tries anew
 */
export async function makeFolderOnce(
  folder: string,
  fill: (emptyFolder: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const lockFile = `${folder}.lock`;
  while (!existsSync(folder)) {
    if (!(await takeLock(lockFile))) {
      await delay(POLL_MS);
      continue;
    }
    try {
      if (!existsSync(folder)) await fillAndRename(folder, fill);
    } finally {
      await rm(lockFile, { force: true });
    }
  }
}

async function fillAndRename(folder: string, fill: (emptyFolder: string) => Promise<void>): Promise<void> {
  const filling = `${folder}.${randomUUID()}.part`;
  await mkdir(filling);
  try {
    await fill(filling);
    await rename(filling, folder).catch((error) => {
      // Two processes that both took the lock of a dead third may fill it twice: the first to finish wins.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(filling, { recursive: true, force: true });
  }
}

async function takeLock(lockFile: string): Promise<boolean> {
  try {
    await writeFile(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(lockFile, 'utf8').catch(() => ''));
  // Empty: its holder has made it and not yet written its pid.
  if (holder > 0 && !isAlive(holder)) await rm(lockFile, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
