// scripts/with-redis-and-kafka.ts as a process: what its command is given, how it ends, what is left.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ChildProcess } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/with-redis-and-kafka.ts');

/** Connects to both servers, says so, and ends with 7. */
const VISIT = `
  const { connect } = require('node:net');
  const { REDIS_URL, KAFKA_BROKERS } = process.env;
  const addresses = [new URL(REDIS_URL).host, KAFKA_BROKERS];
  Promise.all(addresses.map((address) => new Promise((resolve, reject) => {
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host, () => { socket.destroy(); resolve(); });
    socket.on('error', reject);
  }))).then(() => {
    console.log('visited ' + addresses.join(' '));
    process.exitCode = 7;
  });
`;

/** The script with a folder of its own for what it puts into the temporary folder. */
async function startBesideServers(...command: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-script-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const script = await ChildProcess.start({
    command: process.execPath,
    arguments: [SCRIPT, '--', ...command],
    environment: { TMPDIR: folder },
  });
  onTestFinished(async () => {
    await script.kill9();
  });
  return { script, leftBehind: () => readdir(folder) };
}

function isListening(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':');
  return new Promise((answer) => {
    const socket = connect(Number(port), host);
    socket.on('connect', () => answer(true));
    socket.on('error', () => answer(false));
    socket.on('connect', () => socket.destroy());
  });
}

describe('with-redis-and-kafka', () => {
  it('gives the command a Redis and a Kafka that end with it, and ends with its exit code', async () => {
    const { script, leftBehind } = await startBesideServers(process.execPath, '-e', VISIT);
    expect(await script.exited).toEqual({ code: 7, signal: null });
    const [, ...addresses] = script.lines().at(-1)?.split(' ') ?? [];
    expect(addresses).toHaveLength(2);
    expect(await Promise.all(addresses.map(isListening))).toEqual([false, false]);
    expect(await leftBehind()).toEqual([]);
  });

  it('passes SIGTERM on, and leaves nothing', async () => {
    const forever = `console.log('up'); setInterval(() => {}, 1000);`;
    const { script, leftBehind } = await startBesideServers(process.execPath, '-e', forever);
    await script.waitForLine((line) => line === 'up');
    process.kill(script.pid, 'SIGTERM');
    expect(await script.exited).toEqual({ code: 143, signal: null });
    expect(await leftBehind()).toEqual([]);
  });

  it('says which command is not there', async () => {
    const { script, leftBehind } = await startBesideServers('no-such-command');
    expect(await script.exited).toEqual({ code: 127, signal: null });
    expect(script.lines().join('\n')).toContain('no-such-command');
    expect(await leftBehind()).toEqual([]);
  });

  it('says how it is used', async () => {
    const { script } = await startBesideServers();
    expect(await script.exited).toEqual({ code: 2, signal: null });
    expect(script.lines()).toEqual(['usage: node scripts/with-redis-and-kafka.ts -- <command> [arguments]']);
  });
});
