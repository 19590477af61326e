import { randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Verdict } from '../../src/checker/verdict.ts';
import { ChildProcess } from '../../src/child-process.ts';
import { createTopic } from '../../src/kafka-requests.ts';
import { produceAll } from '../produce.ts';
import { RunUnderJudgement } from './run-under-judgement.ts';

const MAIN = new URL('../../src/checker/main.ts', import.meta.url).pathname;
const brokers = inject('kafkaBrokers');

async function runChecker(...args: string[]): Promise<{ code: number | null; text: string }> {
  const lines: string[] = [];
  const checker = await ChildProcess.start({
    command: process.execPath,
    arguments: [MAIN, ...args],
    onLine: (line) => lines.push(line),
  });
  const { code } = await checker.exited;
  return { code, text: lines.join('\n') };
}

/** Puts a run where the checker looks for it: a file and two topics. */
async function publish(run: RunUnderJudgement) {
  const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-checker-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'changes.jsonl');
  await writeFile(file, run.log.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const topic = `checked-${randomUUID()}`;
  await createTopic(brokers, topic, { partitions: 2 });
  const records = run.records.map(({ key, value }) => ({ key: key ?? '', value }));
  await produceAll(brokers, topic, records);
  const deadLetterTopic = `${topic}-dlq`;
  const letters = run.deadLetters.map(({ key, value }) => ({ key: key ?? '', value }));
  if (letters.length > 0) await createTopic(brokers, deadLetterTopic);
  await produceAll(brokers, deadLetterTopic, letters);
  const where = ['--brokers', brokers, '--topic', topic, '--dead-letter-topic', deadLetterTopic];
  return { file, args: ['--change-log', file, ...where] };
}

const complete = () => new RunUnderJudgement().change('created').change('deleted').state(1).deleted(2);

describe('the checker as a command', () => {
  it('finds a complete run fine, with and without dead letters', async () => {
    const { file, args } = await publish(complete());
    // A log whose writer was killed in the middle of a line.
    await appendFile(file, '{"kind":"change","at":17');
    const { code, text } = await runChecker(...args);
    expect(text).toContain('2 changes of 1 resources, 2 of them subscribed');
    expect(text).toContain('2 notifications acknowledged');
    expect(text).toContain('Fine: nothing lost, nothing out of order.');
    expect(code).toBe(0);
  });

  it('fails a run with a loss, in words and as JSON', async () => {
    const { args } = await publish(complete().change('created', { resource: 'users/u/events/lost' }));
    const inWords = await runChecker(...args);
    expect(inWords.text).toContain('1 acknowledged notifications that no record and no dead letter covers:');
    expect(inWords.text).toContain('users/u/events/lost: version 1 was acknowledged, no record tells of it');
    expect(inWords.text).toContain('Not fine.');
    expect(inWords.code).toBe(1);
    const asJson = await runChecker(...args, '--json');
    const verdict = JSON.parse(asJson.text) as Verdict;
    expect(verdict).toMatchObject({ ok: false, problems: { lostNotifications: { count: 1 } } });
    expect(asJson.code).toBe(1);
  });

  it('reads dead letters from their topic', async () => {
    const resource = 'users/u/events/rejected';
    const run = complete().change('created', { resource });
    run.deadLetter({ key: 'any', value: JSON.stringify({ resource }) });
    expect(await runChecker(...(await publish(run)).args)).toMatchObject({ code: 0 });
  });

  it('does not miss a change without an acknowledgement when told so', async () => {
    const { args } = await publish(
      complete().change('created', { resource: 'users/u/events/x', status: null }),
    );
    expect(await runChecker(...args)).toMatchObject({ code: 1 });
    expect(await runChecker(...args, '--acknowledged-only')).toMatchObject({ code: 0 });
  });

  it('takes a topic that does not exist for an empty one', async () => {
    const { file } = await publish(complete());
    const args = ['--change-log', file, '--brokers', brokers, '--topic', `none-${randomUUID()}`];
    expect(await runChecker(...args)).toMatchObject({ code: 1 });
  });

  it('names the line of the log that it cannot read', async () => {
    const { file, args } = await publish(complete());
    await appendFile(file, '{"kind":"surprise"}\n');
    const { code, text } = await runChecker(...args);
    expect(text).toBe('Line 5: Not a kind of line in a change log: surprise');
    expect(code).toBe(2);
  });

  it.each([
    [['--no-such-flag'], '--no-such-flag'],
    [[], '--change-log, --brokers and --topic are needed'],
    [['--change-log', '/no/such/file', '--brokers', brokers, '--topic', 't'], '/no/such/file'],
  ])('ends with 2 and a sentence when called with %j', async (args, sentence) => {
    const { code, text } = await runChecker(...args);
    expect(text).toContain(sentence);
    expect(code).toBe(2);
  });

  it('explains itself', async () => {
    const { code, text } = await runChecker('--help');
    expect(text).toContain('--change-log FILE');
    expect(code).toBe(0);
  });
});
