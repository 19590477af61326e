import { describe, expect, it, onTestFinished } from 'vitest';
import { createAckGuard } from '../src/ack-guard.ts';
import { logLines } from './log-lines.ts';

describe('createAckGuard', () => {
  it('warns as answers grow slow, each level once, and says when all is well again', () => {
    let at = 0;
    const logged = logLines();
    const guard = createAckGuard(logged.log, () => at);
    onTestFinished(() => guard.close());
    for (let n = 0; n < 97; n++) guard.note(20);
    for (let n = 0; n < 10; n++) guard.note(3500);
    expect(guard.health()).toBe('endangered');
    at += 11 * 60_000;
    guard.note(3500);
    expect(guard.health()).toBe('good');
    const said = logged.lines.map((line) => {
      const { level, message, answers, over_3_s, over_10_s } = JSON.parse(line);
      return [level, message, answers, over_3_s, over_10_s];
    });
    expect(said).toEqual([
      ['warn', 'acks.slowing', 99, 2, 0],
      ['error', 'acks.endangered', 103, 6, 0],
      ['info', 'acks.recovered', 1, 1, 0],
    ]);
  });
});
