import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChildProcess, type ChildProcessOptions } from '../src/child-process.ts';
import { eventually } from '../src/eventually.ts';
import { programVersion } from '../src/run-program.ts';

/** Starts a program written in JavaScript. */
async function startScript(
  script: string,
  options: Partial<ChildProcessOptions> = {},
): Promise<ChildProcess> {
  const child = await ChildProcess.start({
    name: 'script',
    command: process.execPath,
    arguments: ['-e', script],
    ...options,
  });
  onTestFinished(async () => {
    await child.kill9();
  });
  return child;
}

const STAYS = 'setInterval(() => {}, 1000);';
const OBEYS_SIGTERM = `process.on('SIGTERM', () => process.exit(7)); ${STAYS} console.log('up');`;
const IGNORES_SIGTERM = `process.on('SIGTERM', () => {}); ${STAYS} console.log('up');`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('readiness', () => {
  it('finds a line that was written before and one that comes later', async () => {
    const child = await startScript(
      `console.log('first'); setTimeout(() => console.error('second'), 50); ${STAYS}`,
    );
    expect(await child.waitForLine((line) => line === 'second')).toBe('second');
    expect(await child.waitForLine((line) => line.startsWith('fir'))).toBe('first');
  });

  it('waits until a probe holds, and takes one that throws as not yet', async () => {
    const child = await startScript(STAYS);
    let tries = 0;
    await child.waitUntil(() => {
      if (++tries < 3) throw new Error('not yet');
      return true;
    });
    expect(tries).toBe(3);
  });

  it('names program, exit code and last lines when the program ends instead', async () => {
    const child = await startScript(
      "console.log('about to fail'); console.error('no disk'); process.exit(3)",
    );
    const waiting = child.waitForLine((line) => line === 'ready');
    await expect(waiting).rejects.toThrow(/script ended \(exit code 3\) before it was ready.*said last:/s);
    await expect(waiting).rejects.toThrow(/about to fail/);
    await expect(waiting).rejects.toThrow(/no disk/);
  });

  it('names the signal when one ended the program', async () => {
    const child = await startScript("process.kill(process.pid, 'SIGKILL')");
    await expect(child.waitUntil(() => false)).rejects.toThrow('ended (signal SIGKILL)');
  });

  it('gives up at the deadline and says so', async () => {
    const child = await startScript(STAYS);
    await expect(child.waitUntil(() => false, { timeoutMs: 30 })).rejects.toThrow(
      'script was not ready within 30 ms. It said nothing.',
    );
  });

  it('fails for a program that is not there', async () => {
    const starting = ChildProcess.start({ command: 'no-such-program' }).then((child) =>
      child.waitUntil(() => false),
    );
    await expect(starting).rejects.toThrow('no-such-program');
  });
});

describe('output', () => {
  it('keeps the latest lines only', async () => {
    const child = await startScript('for (let i = 1; i <= 20; i++) console.log(i)', { keptLines: 3 });
    await child.exited;
    expect(child.lines()).toEqual(['18', '19', '20']);
  });

  it('hands over each line with its stream, the last one without its end too', async () => {
    const lines: [string, string][] = [];
    const child = await startScript("console.error('e'); process.stdout.write('no end')", {
      onLine: (line, stream) => lines.push([stream, line]),
    });
    await child.exited;
    expect(lines.sort()).toEqual([
      ['stderr', 'e'],
      ['stdout', 'no end'],
    ]);
  });

  it('hands over data whole, with characters that lie across chunks', async () => {
    const chunks: string[] = [];
    const child = await startScript("process.stdout.write('zoë '.repeat(50000))", {
      onStdout: (chunk) => chunks.push(chunk),
    });
    await child.exited;
    expect(chunks.join('')).toBe('zoë '.repeat(50_000));
    expect(child.lines()).toEqual([]);
  });

  it('adds to the environment, and takes away', async () => {
    const child = await startScript(
      'console.log(process.env.ADDED, process.env.HOME, typeof process.env.PATH)',
      {
        environment: { ADDED: 'yes', HOME: undefined },
      },
    );
    await child.exited;
    expect(child.lines()).toEqual(['yes undefined string']);
  });
});

describe('end', () => {
  it('stops with SIGTERM and tells how it ended; a second stop is the same', async () => {
    const child = await startScript(OBEYS_SIGTERM);
    await child.waitForLine((line) => line === 'up');
    const exits = await Promise.all([child.stop(), child.stop()]);
    expect([...exits, await child.stop(), await child.exited]).toEqual(
      Array(4).fill({ code: 7, signal: null }),
    );
    expect(child.hasExited).toBe(true);
  });

  it('kills what ignores SIGTERM after the grace period', async () => {
    const child = await startScript(IGNORES_SIGTERM);
    await child.waitForLine((line) => line === 'up');
    expect(await child.stop({ graceMs: 50 })).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('thaws a frozen program before it asks it to stop', async () => {
    const child = await startScript(OBEYS_SIGTERM);
    await child.waitForLine((line) => line === 'up');
    child.freeze();
    expect(await child.stop()).toEqual({ code: 7, signal: null });
  });

  it('kills a frozen program', async () => {
    const child = await startScript(STAYS);
    child.freeze();
    expect(await child.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isAlive(child.pid)).toBe(false);
  });

  it('freezes and thaws', async () => {
    let count = 0;
    const child = await startScript('setInterval(() => console.log(1), 1)', { onLine: () => count++ });
    await eventually(() => count > 0);
    child.freeze();
    // What was still in the pipe has come when a new program has started and ended.
    await programVersion(process.execPath);
    const whenFrozen = count;
    await programVersion(process.execPath);
    expect(count).toBe(whenFrozen);
    child.thaw();
    await eventually(() => count > whenFrozen);
  });

  it('does not wait for a grandchild that holds the output open', async () => {
    const child = await startScript(
      "const c = require('child_process').spawn('sleep', ['60'], { stdio: 'inherit', detached: true }); console.log(c.pid); process.exit(0)",
    );
    expect(await child.exited).toEqual({ code: 0, signal: null });
    process.kill(Number(child.lines()[0]));
  });

  it.each(['SIGKILL', 'SIGTERM', 'exit'])('ends with a parent that goes by %s', async (how) => {
    const harness = new URL('../src/child-process.ts', import.meta.url).href;
    const script = `
      const { ChildProcess } = await import(${JSON.stringify(harness)});
      const child = await ChildProcess.start({ command: 'sleep', arguments: ['300'] });
      console.log(child.pid);
      process.stdin.once('data', () => process.exit(0));
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [firstOutput] = await once(parent.stdout, 'data');
    const pid = Number(firstOutput.toString());
    expect(isAlive(pid)).toBe(true);
    if (how === 'exit') parent.stdin.write('now');
    else parent.kill(how as NodeJS.Signals);
    await eventually(() => !isAlive(pid));
  });
});
