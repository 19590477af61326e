import { describe, expect, inject, it } from 'vitest';
import { expectedAnswer } from './expected-answer.ts';
import { changed, collection, lifecycle } from './graph-posts.ts';
import { runMutations } from './mutation-run.ts';
import { mutation } from './mutations.ts';
import { severeOf, startReceiverUnderTest } from './receiver-under-test.ts';
import { readStrictly } from './strict-json.ts';

const expected = (text: string) => expectedAnswer(Buffer.from(text), false, [changed(), lifecycle()]);

describe('the independent reader', () => {
  it.each([
    ['a good collection', collection(changed(), lifecycle()), { status: 202, kept: 2, intact: 2 }],
    ['a forged one', collection(changed({ clientState: 'x' })), { status: 202, kept: 0, intact: 0 }],
    ['one that is not as it was', collection(changed({ resource: 1 })), { status: 202, kept: 1, intact: 0 }],
    ['half of one', collection(changed()).slice(0, 50), { status: 400, kept: 0, intact: 0 }],
    ['two meanings', '{"value":[],"value":[]}', { status: 400, kept: 0, intact: 0 }],
    ['two meanings by escape', '{"value":[],"v\\u0061lue":[]}', { status: 400, kept: 0, intact: 0 }],
    ['no collection', '{"value":{}}', { status: 400, kept: 0, intact: 0 }],
    ['33 levels', `{"value":${'['.repeat(32)}${']'.repeat(32)}}`, { status: 400, kept: 0, intact: 0 }],
    ['5,001 items', collection(...Array(5001).fill(1)), { status: 413, kept: 0, intact: 0 }],
  ])('tells what must become of %s', (_what, text, answer) => {
    expect(expected(text)).toEqual(answer);
  });

  it.each(['{"a":[1,-0.5e+3,"\\u00e4\\n",true,null,{}]}', ' [ ] ', '"x"', '0'])('reads %j', (text) => {
    expect(readStrictly(text)).toMatchObject({ isAmbiguous: false });
  });

  it.each(['', '01', '.5', '+1', 'NaN', '"\\x"', '"\n"', '[1,]', '{"a"}', '{a:1}', '[1]]', "'a'"])(
    'does not read %j',
    (text) => {
      expect(readStrictly(text)).toBeUndefined();
    },
  );
});

describe('spoiled posts', () => {
  it('are the same for the same seed', () => {
    expect(mutation(7, 5)).toEqual(mutation(7, 5));
    expect(mutation(7, 5).body.equals(mutation(8, 5).body)).toBe(false);
  });

  it('are not as they must be where the receiver knows another secret: the comparison can fail', async () => {
    await using receiver = await startReceiverUnderTest(inject('redisUrl'), {
      CLIENT_STATE_SECRETS: 'a secret that nobody signs with',
    });
    const { problems } = await runMutations(receiver, { seed: 1, cases: 100 });
    expect(problems.length).toBeGreaterThan(5);
    expect(problems[0]).toMatch(/^seed 1, case \d+ .*notifications are stored instead of/);
  });

  it('are answered as the table demands, keep what is ours, and leave the receiver well: 6,000 of them', async () => {
    await using receiver = await startReceiverUnderTest(inject('redisUrl'));
    const tally = await runMutations(receiver, { seed: 20_261_123, cases: 6000 });
    expect(tally.problems).toEqual([]);
    expect(tally.statuses).toMatchObject({ 202: expect.any(Number), 400: expect.any(Number) });
    // The mutations would prove little if they were all refused, or all harmless.
    expect(tally.kept).toBeGreaterThan(2000);
    expect(tally.intact).toBeLessThan(tally.kept);
    expect(severeOf(receiver.lines)).toEqual([]);
    await receiver.end();
  }, 120_000);
});
